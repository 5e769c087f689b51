/** Ids by type. The compiler holds these (`npm run typecheck`); at run time nothing is left of a brand. */
import type { Selectable } from "kysely";
import { expectTypeOf, test } from "vitest";
import type { Tables, Trx } from "../database/index.ts";
import type { PolicyService } from "../policies/index.ts";
import type { RolloutService } from "../rollouts/index.ts";
import type { SiteService } from "../sites/index.ts";
import type { CustomerId, GrantId, PolicyId, RevisionId, RolloutId, SiteId, TokenId } from "./ids.ts";

type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

test("no id is taken for one of another noun", () => {
  expectTypeOf<PolicyId>().not.toExtend<SiteId>();
  expectTypeOf<RevisionId>().not.toExtend<PolicyId>();
  expectTypeOf<TokenId | GrantId>().not.toExtend<CustomerId>();
  expectTypeOf<string>().toExtend<SiteId>();
});

test("ids come branded out of the tables", () => {
  expectTypeOf<Row<"sites">["id"]>().toEqualTypeOf<SiteId>();
  expectTypeOf<Row<"transient_access">["id"]>().toEqualTypeOf<GrantId>();
  expectTypeOf<Row<"site_policies">["policy_id"]>().toEqualTypeOf<PolicyId>();
  expectTypeOf<Row<"site_policies">["policy_revision_id"]>().toEqualTypeOf<RevisionId>();
  expectTypeOf<Row<"audit_events">["site_id"]>().toEqualTypeOf<SiteId | null>();
});

test("services and statements refuse an id of another noun", () => {
  // Never called: what is held here is that each line below a mark does not compile.
  const mistakes = (
    trx: Trx,
    row: Row<"site_policies">,
    verbs: { sites: SiteService; policies: PolicyService; rollouts: RolloutService },
  ) => [
    // @ts-expect-error a policy's id
    verbs.sites.get(trx, row.policy_id),
    // @ts-expect-error a revision's id
    verbs.policies.get(trx, row.policy_revision_id),
    // @ts-expect-error a site's id
    verbs.rollouts.lock(trx, row.site_id),
    // @ts-expect-error a site's id compared with a policy's
    trx.selectFrom("policies").where("id", "=", row.site_id),
  ];
  expectTypeOf(mistakes).returns.toBeArray();
  expectTypeOf<Parameters<RolloutService["pause"]>[2]>().toEqualTypeOf<RolloutId>();
});

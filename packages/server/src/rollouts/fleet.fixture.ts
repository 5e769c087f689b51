/** Policies and sites without routers: what the reconciler would have found is written down as it writes it. */
import { randomUUID } from "node:crypto";
import { policyInput, type RolloutSiteState } from "@portreeve/api-schema";
import { sql } from "kysely";
import type { Trx } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import type { Caller } from "../kernel/actor.ts";
import { policyContributor } from "../policies/contributor.ts";
import { PolicyService, setCurrentRevision } from "../policies/index.ts";
import type { PolicyRow } from "../policies/store.ts";
import type { Outcome } from "../reconcile/index.ts";
import { AddressRules, Sightings, SiteService, siteRecords } from "../sites/index.ts";
import { insertSites, type SiteFixture } from "../sites/testing.fixture.ts";
import { Keyring, Vault } from "../vault/index.ts";
import { listSitesOf } from "./list.ts";
import { RolloutService } from "./service.ts";
import { findRollout, lockRollouts, type RolloutRow } from "./store.ts";

export const IN_SYNC: Outcome = { state: "in_sync" };
export const FAILED: Outcome = { state: "failed", reason: "refused", reached: true };
export const AWAY: Outcome = { state: "pending", reason: "no answer", reached: false };

export class FixtureFleet implements AsyncDisposable {
  readonly rollouts: RolloutService;
  readonly policies: PolicyService;
  readonly siteService: SiteService;
  readonly caller: Caller;
  readonly test: TestDatabase;
  #sites = 0;

  private constructor(test: TestDatabase, customerId: string) {
    this.test = test;
    const addresses = new AddressRules({ allowLoopback: true });
    const vault = new Vault(new Keyring(new Map([[1, Buffer.alloc(32)]])));
    // Sites are added by SQL here.
    this.siteService = new SiteService({ vault, addresses, parts: [] });
    this.rollouts = new RolloutService({ sites: this.siteService, setCurrentRevision });
    this.policies = new PolicyService({ rollouts: this.rollouts, managementAddress: "100.64.0.1" });
    const token = { tokenId: randomUUID(), tokenName: "test", scopes: new Set<never>() };
    this.caller = { customerId, ...token, address: "192.0.2.1" };
  }

  /** A customer with its default policy. */
  static async open(): Promise<FixtureFleet> {
    const test = await createTestDatabase();
    const fleet = new FixtureFleet(test, randomUUID());
    const { customerId } = fleet.caller;
    await test.database.asSystem((trx) =>
      trx.insertInto("customers").values({ id: customerId, name: "c" }).execute(),
    );
    await fleet.as((trx) => fleet.policies.createDefault(trx, customerId));
    return fleet;
  }

  as<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.test.database.asCustomer(this.caller.customerId, work);
  }

  createPolicy(sshPort = 22): Promise<PolicyRow> {
    return this.as((trx) => this.policies.create(trx, this.caller, input(sshPort)));
  }

  /** PUT: the policy, its content changed. */
  change(policyId: string, sshPort: number): Promise<PolicyRow> {
    return this.as((trx) => this.policies.update(trx, this.caller, policyId, input(sshPort)));
  }

  attach(policyId: string, siteIds: readonly string[]): Promise<PolicyRow> {
    return this.as(
      async (trx) => (await this.policies.attach(trx, this.caller, policyId, { sites: [...siteIds] })).policy,
    );
  }

  /** Adopted sites in sync with the policy, in the order of their ids. */
  async addSites(
    policy: PolicyRow,
    count: number,
    change: Pick<SiteFixture, "site" | "connection" | "sync"> = {},
  ): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID()).sort();
    const sites = ids.map((id) => ({
      customer_id: this.caller.customerId,
      site: { id, name: `site ${++this.#sites}`, status: "online" as const, ...change.site },
      connection: {
        address: `192.0.2.${this.#sites}`,
        management_address: "100.64.0.1",
        ...change.connection,
      },
      sync: { sync_state: "in_sync" as const, ...change.sync },
      policy: {
        policy_id: policy.id,
        policy_revision_id: policy.revision_id,
        verified_revision_id: policy.revision_id,
      },
    }));
    await this.as((trx) => insertSites(trx, sites));
    return ids;
  }

  /** A run of the site: what it found is written down, then the rollouts under way are looked at. */
  async run(siteId: string, outcome: Outcome): Promise<void> {
    await this.find(siteId, outcome);
    await this.look();
  }

  /** A run of the site, of which the rollouts have not heard yet. */
  async find(siteId: string, outcome: Outcome): Promise<void> {
    const { database } = this.test;
    const records = siteRecords(database, new Sightings(database));
    await database.asSystem(async (trx) => {
      const site = await records.load(trx, siteId);
      if (!site) throw new Error("no such site");
      if (outcome !== AWAY) await this.seen(trx, siteId);
      const policy = await policyContributor.load(trx, siteId);
      const seen = { observed: new Map(), withheld: [], problem: undefined };
      if (outcome.state === "in_sync") await policy.record?.(trx, seen);
      await records.finish(trx, site, outcome);
    });
  }

  /** Somebody has logged in to the router now. */
  async seen(trx: Trx, siteId: string): Promise<void> {
    await trx
      .updateTable("sites")
      .set({ last_seen_at: sql<Date>`clock_timestamp()` })
      .where("id", "=", siteId)
      .execute();
  }

  /** Run every site that its rollout has given the revision, again and again, until nothing moves any more. */
  async carryOut(rolloutId: string, outcome: (siteId: string) => Outcome = () => IN_SYNC): Promise<void> {
    for (;;) {
      const moving = await this.sites(rolloutId, "delivering", "reverting");
      if (moving.length === 0) return;
      for (const siteId of moving) await this.find(siteId, outcome(siteId));
      await this.look();
    }
  }

  /** As the engine does. */
  async look(): Promise<void> {
    await this.test.database.asSystem(async (trx) => {
      await lockRollouts(trx, this.caller.customerId);
      const underWay = await trx.selectFrom("rollouts").selectAll().where("ended_at", "is", null).execute();
      for (const rollout of underWay) await this.rollouts.advance(trx, rollout);
    });
  }

  async rollout(id: string | null): Promise<RolloutRow> {
    const row = await this.as((trx) => findRollout(trx, id ?? ""));
    if (!row) throw new Error("no such rollout");
    return row;
  }

  /** Sites of the rollout in these states, in the order of their ids. */
  async sites(rolloutId: string, ...states: RolloutSiteState[]): Promise<string[]> {
    const rows = await this.as((trx) => listSitesOf(trx, rolloutId, { limit: 100_000 }));
    return rows.filter(({ state }) => states.includes(state)).map(({ site_id }) => site_id);
  }

  /** Site -> SSH port of the revision it is under. */
  async ports(): Promise<Map<string, number | undefined>> {
    const rows = await this.as((trx) =>
      trx
        .selectFrom("site_policies")
        .innerJoin("policy_revisions", "policy_revisions.id", "site_policies.policy_revision_id")
        .select(["site_policies.site_id as id", "policy_revisions.services"])
        .execute(),
    );
    return new Map(rows.map(({ id, services }) => [id, services.ssh?.port]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.drop();
  }
}

function input(sshPort: number) {
  const closed = (port: number) => ({ enabled: false, port, networks: null });
  return policyInput.parse({
    name: "p",
    winbox: closed(8291),
    ssh: { enabled: true, port: sshPort, networks: null },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: null },
    api_ssl: closed(8729),
  });
}

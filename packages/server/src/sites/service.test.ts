import { randomUUID } from "node:crypto";
import { siteInput, sitePatch } from "@portreeve/api-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { certificateSitePart } from "../certificates/index.ts";
import { remember } from "../certificates/store.ts";
import type { Trx } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import type { Caller } from "../kernel/actor.ts";
import { PolicyService, policySitePart, setCurrentRevision } from "../policies/index.ts";
import { RolloutService } from "../rollouts/index.ts";
import { Keyring, Vault } from "../vault/index.ts";
import { AddressRules } from "./address.ts";
import { RouterAlreadyAddedError } from "./errors.ts";
import { SiteService } from "./service.ts";
import { findSite, type SiteRow } from "./store.ts";

const caller: Caller = {
  customerId: randomUUID(),
  tokenId: randomUUID(),
  tokenName: "test",
  scopes: new Set(),
  address: "192.0.2.1",
};
let db: TestDatabase;
let sites: SiteService;

beforeAll(async () => {
  db = await createTestDatabase();
  const vault = new Vault(new Keyring(new Map([[1, Buffer.alloc(32)]])));
  const addresses = new AddressRules({ allowLoopback: false });
  sites = new SiteService({ vault, addresses, parts: [policySitePart, certificateSitePart] });
  const rollouts = new RolloutService({ sites, setCurrentRevision });
  const policies = new PolicyService({ rollouts, managementAddress: "100.64.0.1" });
  await db.database.asSystem(async (trx) => {
    await trx.insertInto("customers").values({ id: caller.customerId, name: "c" }).execute();
    await policies.createDefault(trx, caller.customerId);
  });
});
afterAll(() => db?.drop());

const as = <T>(work: (trx: Trx) => Promise<T>) => db.database.asCustomer(caller.customerId, work);

function add(address: string): Promise<SiteRow> {
  const input = siteInput.parse({ name: "edge", address, username: "admin", password: "secret" });
  return as((trx) => sites.create(trx, caller, input));
}

test("a new site is under the default policy and waits for its first run", async () => {
  const { id } = await add("192.0.2.1");
  const site = await as((trx) => findSite(trx, id));
  const [policy] = await as((trx) => trx.selectFrom("policies").select("id").execute());
  expect(site).toMatchObject({
    policy_id: policy?.id,
    certificates: [],
    generation: "1",
    sync_state: "pending",
    status: "pending",
  });
});

test("of two that add a router at the same moment one is told that it is a site already", async () => {
  const added = await Promise.allSettled([add("Router.example.net"), add("router.EXAMPLE.net")]);
  expect(added.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const reason = added.find((one) => one.status === "rejected")?.reason;
  expect(reason).toBeInstanceOf(RouterAlreadyAddedError);
});

test("a router with another certificate is not taken for one with a certificate of ours", async () => {
  const { id } = await add("192.0.2.2");
  const known = { name: "portreeve", fingerprint: "ab", not_after: "2030-01-01T00:00:00Z", issuer: "i" };
  const change = (patch: object) =>
    as(async (trx) => {
      await remember(trx, id, known);
      return sites.update(trx, caller, id, sitePatch.parse(patch));
    });
  expect((await change({ name: "renamed" })).certificates).toEqual([known]);
  expect(
    (await change({ management_transport: "api-ssl", tls_fingerprint: "ab".repeat(32) })).certificates,
  ).toEqual([]);
  expect((await change({ tls_fingerprint: "cd".repeat(32) })).certificates).toEqual([]);
  expect((await change({ tls_fingerprint: null })).certificates).toEqual([known]);
});

test("a change of intent shows in the site's time, though it changes nothing of its identity", async () => {
  const site = await add("192.0.2.3");
  await as((trx) => sites.bumpGeneration(trx, [site.id]));
  const after = await as((trx) => findSite(trx, site.id));
  expect(after?.generation).toBe("2");
  expect(after?.updated_at).toEqual(site.updated_at);
  expect(after?.changed_at.getTime()).toBeGreaterThan(site.changed_at.getTime());
});

import { randomUUID } from "node:crypto";
import { policyInput } from "@portreeve/api-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Trx } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { assignPolicy } from "../rollouts/index.ts";
import { insertSites } from "../sites/testing.fixture.ts";
import {
  changePolicy,
  contentOf,
  contentOfSite,
  defaultPolicy,
  deletePolicy,
  findPolicy,
  insertPolicy,
  lockPolicy,
  type PolicyRow,
} from "./store.ts";

const customerId = randomUUID();
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.asSystem(async (trx) => {
    await trx.insertInto("customers").values({ id: customerId, name: "c" }).execute();
    await insertPolicy(trx, named("default", true), content(22));
  });
});
afterAll(() => db.drop());

const as = <T>(work: (trx: Trx) => Promise<T>) => db.database.asCustomer(customerId, work);

function named(name: string, isDefault = false) {
  return { customer_id: customerId, name, slug: randomUUID(), is_default: isDefault };
}

function content(sshPort: number) {
  const closed = (port: number) => ({ enabled: false, port, networks: null });
  const api = { enabled: true, port: 8728, networks: null };
  const ssh = { enabled: true, port: sshPort, networks: ["10.0.0.0/8"] };
  const [winbox, http, https] = [closed(8291), closed(80), closed(443)];
  const [telnet, ftp, api_ssl] = [closed(23), closed(21), closed(8729)];
  return contentOf(policyInput.parse({ name: "p", winbox, ssh, http, https, telnet, ftp, api, api_ssl }));
}

const insert = () => as((trx) => insertPolicy(trx, named("p"), content(22)));
const change = (id: string, port: number, name = "p") =>
  as(async (trx) => {
    const policy = (await lockPolicy(trx, id)) as PolicyRow;
    return changePolicy(trx, policy, { name, content: content(port) });
  });
const revisions = (policyId: string) =>
  as((trx) =>
    trx
      .selectFrom("policy_revisions")
      .select(["id", "number", "services"])
      .where("policy_id", "=", policyId)
      .orderBy("number")
      .execute(),
  );

test("a change of content makes the next revision and leaves the ones before as they were", async () => {
  const first = await insert();
  const second = await change(first.id, 2022);
  expect(second.services.ssh?.port).toBe(2022);
  const kept = await revisions(first.id);
  expect(kept.map(({ id, number, services }) => [id, number, services.ssh?.port])).toEqual([
    [first.revision_id, 1, 22],
    [second.revision_id, 2, 2022],
  ]);
});

test("the same content makes no revision, whatever the policy is called", async () => {
  const first = await insert();
  const renamed = await change(first.id, 22, "renamed");
  expect(renamed).toMatchObject({ name: "renamed", revision_id: first.revision_id });
  expect(await revisions(first.id)).toHaveLength(1);
});

test("changes at the same moment follow each other", async () => {
  const { id } = await insert();
  const changed = await Promise.all([1, 2, 3, 4, 5].map((number) => change(id, 3000 + number)));
  const current = await as((trx) => findPolicy(trx, id));
  const kept = await revisions(id);
  expect(kept.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(current?.revision_id).toBe(kept.at(-1)?.id);
  expect(changed.map(({ revision_id }) => revision_id)).toContain(current?.revision_id);
});

test("a site keeps the content of its revision when its policy is changed, and when it is deleted", async () => {
  const policy = await insert();
  const under = { policy_id: policy.id, policy_revision_id: policy.revision_id };
  const [siteId = ""] = await as((trx) => insertSites(trx, [{ customer_id: customerId, policy: under }]));
  await change(policy.id, 2022);
  expect((await as((trx) => contentOfSite(trx, siteId))).services.ssh?.port).toBe(22);
  await as(async (trx) => {
    const fallback = await defaultPolicy(trx);
    await assignPolicy(trx, [siteId], fallback.id);
    await deletePolicy(trx, policy.id);
  });
  expect((await as((trx) => contentOfSite(trx, siteId))).services.ssh?.port).toBe(22);
});

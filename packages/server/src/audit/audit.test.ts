import { randomUUID } from "node:crypto";
import type { AuditEvent, AuditList } from "@portreeve/api-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../http/testing.ts";
import { Secret } from "../vault/index.ts";
import { type AuditEntry, record } from "./record.ts";
import { auditRoutes } from "./routes.ts";

const actor = { kind: "system", part: "reconciler" } as const;
const siteId = randomUUID();

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ routes: auditRoutes() });
  for (let index = 1; index <= 7; index++)
    await add({ action: "thing.done", subjectType: "thing", detail: { index } });
  await add({ action: "thing.lost", subjectType: "thing", subjectId: siteId, siteId });
});
afterAll(() => server[Symbol.asyncDispose]());

const add = (entry: AuditEntry, customerId = server.customerId) =>
  server.database.asCustomer(customerId, (trx) => record(trx, actor, entry));

async function list(query: string, token?: string): Promise<AuditList> {
  const response = await server.call("GET", `/v1/audit?${query}`, token === undefined ? {} : { token });
  expect(response.status).toBe(200);
  return (await response.json()) as AuditList;
}

test("an event tells who did what to which subject, newest first", async () => {
  const [newest] = (await list("limit=1")).data;
  expect(newest).toEqual({
    id: expect.stringMatching(/^\d+$/),
    occurred_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    actor: "system:reconciler",
    source_address: null,
    action: "thing.lost",
    subject_type: "thing",
    subject_id: siteId,
    site_id: siteId,
    detail: {},
  });
});

test("pages follow one another without a gap or a repetition while new events arrive", async () => {
  const seen: AuditEvent[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: AuditList = await list(
      `action=thing.done&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    seen.push(...page.data);
    cursor = page.next_cursor;
    await add({ action: "thing.done", subjectType: "thing", detail: { index: 100 } });
  }
  expect(seen.map((event) => event.detail.index)).toEqual([7, 6, 5, 4, 3, 2, 1]);
});

test("the filters keep to one site or one action", async () => {
  expect((await list(`site_id=${siteId}`)).data.map((event) => event.action)).toEqual(["thing.lost"]);
  expect((await list("action=token.created")).data).toHaveLength(1);
  expect((await list("action=thing.unheard-of")).data).toEqual([]);
});

test("a filter, limit or cursor that makes no sense is named", async () => {
  const queries = {
    limit: ["limit=0", "limit=201", "limit=1.5", "limit=many", "limit=1&limit=2", "limit=1e9"],
    cursor: ["cursor=x", "cursor=", `cursor=${Buffer.from('["1;drop"]').toString("base64url")}`],
    site_id: ["site_id=1"],
    offset: ["offset=5"],
  };
  for (const [field, wrong] of Object.entries(queries)) {
    for (const query of wrong) {
      const response = await server.call("GET", `/v1/audit?${query}`);
      expect(response.status, query).toBe(422);
      expect(Object.keys(((await response.json()) as { errors: object }).errors), query).toEqual([field]);
    }
  }
});

test("another customer sees nothing of it", async () => {
  const token = await server.mint({ customerId: await server.addCustomer(), scopes: ["audit:read"] });
  expect((await list("", token)).data).toEqual([]);
});

test("the event stands exactly when the transaction does", async () => {
  const failed = server.database.asCustomer(server.customerId, async (trx) => {
    await record(trx, actor, { action: "thing.undone", subjectType: "thing" });
    throw new Error("rolled back");
  });
  await expect(failed).rejects.toThrow("rolled back");
  expect((await list("action=thing.undone")).data).toEqual([]);
});

test("a detail that is not plain data is refused by its path, a Secret above all", async () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const wrong: Record<string, Record<string, unknown>> = {
    "detail.login.password": { login: { password: new Secret("canary-12") } },
    "detail.list.1": { list: ["a", new Secret("canary-12")] },
    "detail.at": { at: new Date() },
    "detail.bytes": { bytes: Buffer.from("canary-12") },
    "detail.count": { count: Number.NaN },
    "detail.big": { big: 1n },
    "detail.call": { call: () => "canary-12" },
    "detail.map": { map: new Map() },
    "detail.self": circular,
  };
  for (const [path, detail] of Object.entries(wrong)) {
    const error = await add({ action: "thing.wrong", subjectType: "thing", detail }).catch(
      (reason: Error) => reason,
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain("canary");
  }
  expect((await list("action=thing.wrong")).data).toEqual([]);
});

test("a transaction of the system role names the customer, or nothing is written", async () => {
  const entry = { action: "thing.system", subjectType: "thing" };
  await expect(server.database.asSystem((trx) => record(trx, actor, entry))).rejects.toThrow("customer_id");
  await server.database.asSystem((trx) => record(trx, actor, { ...entry, customerId: server.customerId }));
  expect((await list("action=thing.system")).data).toHaveLength(1);
});

import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { record } from "../audit/index.ts";
import { actorOf } from "../kernel/actor.ts";
import { DomainError } from "../kernel/errors.ts";
import { route } from "../kernel/route.ts";
import { startTestServer, type TestServer } from "./testing.ts";

const CANARY = "canary-3f0a11";

/** What the next `work` does beside its one effect, an audit event. */
let during: () => Promise<void> = async () => {};

const common = { scope: "sites:write", tag: "Test", summary: "Make a thing" } as const;
const input = { body: z.strictObject({ name: z.string(), note: z.string().optional() }) };
const made = { input, output: z.object({ name: z.string(), password: z.string() }), status: 201 } as const;
const effect = (name: string) => ({ action: "thing.made", subjectType: "thing", detail: { name } });
const routes = [
  route({
    ...common,
    method: "POST",
    ...made,
    path: "/v1/things",
    run: ({ caller, body: { name }, mutate }) =>
      mutate(async (trx) => {
        await record(trx, actorOf(caller), effect(name));
        await during();
        const thing = { name, password: `${CANARY}-${crypto.randomUUID()}`, internal: "not for anybody" };
        return thing;
      }),
  }),
  route({
    ...common,
    method: "POST",
    ...made,
    path: "/v1/other-things",
    run: ({ mutate }) => mutate(async () => ({ name: "other", password: "other" })),
  }),
  route({
    ...common,
    method: "POST",
    ...made,
    path: "/v1/wrong",
    run: ({ caller, mutate }) =>
      mutate(async (trx) => {
        await record(trx, actorOf(caller), effect("wrong"));
        return { name: 5 } as never;
      }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/v1/empty",
    status: 204,
    run: ({ caller, mutate }) => mutate((trx) => record(trx, actorOf(caller), effect("empty"))),
  }),
];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ routes });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  during = async () => {};
});

async function effects(name: string): Promise<number> {
  const events = await server.database.asSystem((trx) =>
    trx.selectFrom("audit_events").select("detail").where("action", "=", "thing.made").execute(),
  );
  return events.filter((event) => event.detail.name === name).length;
}

const post = (name: string, key?: string, path = "/v1/things", token?: string) =>
  server.call("POST", path, {
    body: { name },
    ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
    ...(token === undefined ? {} : { token }),
  });

test("the answer shows what the schema names and nothing else, and no cache keeps it", async () => {
  const response = await post("plain");
  expect(response.status).toBe(201);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(Object.keys((await response.json()) as object)).toEqual(["name", "password"]);
});

test("fifty requests with one key at the same time have one effect and one answer", async () => {
  const responses = await Promise.all(Array.from({ length: 50 }, () => post("fifty", "key-fifty")));
  const texts = await Promise.all(responses.map((response) => response.text()));
  expect(new Set(responses.map((response) => response.status))).toEqual(new Set([201]));
  expect(new Set(texts).size).toBe(1);
  expect(responses.filter((response) => response.headers.get("idempotent-replayed") === null)).toHaveLength(
    1,
  );
  expect(responses.every((response) => response.headers.get("cache-control") === "no-store")).toBe(true);
  expect(await effects("fifty")).toBe(1);
});

test("the order of the fields makes no other request", async () => {
  const headers = { "idempotency-key": "key-order" };
  const first = await server.call("POST", "/v1/things", { headers, body: '{"name":"order","note":"n"}' });
  const again = await server.call("POST", "/v1/things", {
    headers,
    body: '{ "note": "n", "name": "order" }',
  });
  expect(await again.text()).toBe(await first.text());
});

test("one key for another body, another address or another token is refused and has no effect", async () => {
  const first = await post("reuse", "key-reuse");
  const token = await server.mint({ scopes: ["sites:write"] });
  const others = [
    await post("reuse-other", "key-reuse"),
    await post("reuse", "key-reuse", "/v1/other-things"),
    await post("reuse", "key-reuse", "/v1/things", token),
  ];
  for (const response of others) {
    expect(response.status).toBe(422);
    const text = await response.text();
    expect(text).toContain('"code":"idempotency-key-reused"');
    expect(text).not.toContain(CANARY);
  }
  expect(await effects("reuse-other")).toBe(0);
  expect(await (await post("reuse", "key-reuse")).text()).toBe(await first.text());
  expect(await effects("reuse")).toBe(1);
});

test("keys of different customers never meet", async () => {
  const token = await server.mint({ customerId: await server.addCustomer(), scopes: ["sites:write"] });
  const ours = await post("shared-key", "key-shared");
  const theirs = await post("shared-key", "key-shared", "/v1/things", token);
  expect(theirs.headers.get("idempotent-replayed")).toBeNull();
  expect(await theirs.text()).not.toBe(await ours.text());
});

test("an error takes the key back with the effect, so that a retry runs afresh", async () => {
  during = async () => {
    throw new DomainError({ status: 409, code: "busy", title: "Busy", detail: "Busy." });
  };
  expect((await post("retry", "key-retry")).status).toBe(409);
  during = async () => {
    throw new Error("a crash");
  };
  expect((await post("retry", "key-retry")).status).toBe(500);
  expect(await effects("retry")).toBe(0);
  during = async () => {};
  const retry = await post("retry", "key-retry");
  expect(retry.status).toBe(201);
  expect(retry.headers.get("idempotent-replayed")).toBeNull();
  expect(await effects("retry")).toBe(1);
});

test("a connection lost in the middle leaves no effect, and the same key runs afresh", async () => {
  during = async () => {
    const client = new pg.Client(server.test.connectionString);
    await client.connect();
    // Of this test's own database: others run beside it on the same server.
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and state = 'idle in transaction'`,
    );
    await client.end();
  };
  expect((await post("cut", "key-cut")).status).toBe(503);
  expect(await effects("cut")).toBe(0);
  during = async () => {};
  expect((await post("cut", "key-cut")).status).toBe(201);
  expect(await effects("cut")).toBe(1);
});

test("an answer that does not fit its schema is an error of ours and undoes the work", async () => {
  expect((await post("wrong", "key-wrong", "/v1/wrong")).status).toBe(500);
  expect(await effects("wrong")).toBe(0);
});

test("an answer without a body is repeated without one", async () => {
  const headers = { "idempotency-key": "key-empty" };
  for (const replayed of [null, "true"]) {
    const response = await server.call("POST", "/v1/empty", { headers });
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(response.headers.get("idempotent-replayed")).toBe(replayed);
  }
  expect(await effects("empty")).toBe(1);
});

test("a key is forgotten after 24 hours, by whatever request comes next", async () => {
  const age = (keys: string[], hours: number) =>
    server.database.asSystem((trx) =>
      trx
        .deleteFrom("idempotency_keys")
        .where("key", "in", keys)
        .returningAll()
        .execute()
        .then((rows) =>
          trx
            .insertInto("idempotency_keys")
            .values(rows.map((row) => ({ ...row, created_at: new Date(Date.now() - hours * 3_600_000) })))
            .execute(),
        ),
    );
  await post("young", "key-young");
  await post("old", "key-old");
  await post("older", "key-older");
  await age(["key-young"], 23);
  await age(["key-old", "key-older"], 25);
  expect((await post("young", "key-young")).headers.get("idempotent-replayed")).toBe("true");
  const keys = await server.database.asSystem((trx) =>
    trx.selectFrom("idempotency_keys").select("key").execute(),
  );
  expect(keys.map(({ key }) => key)).not.toContain("key-older");
  expect((await post("old", "key-old")).headers.get("idempotent-replayed")).toBeNull();
  expect(await effects("old")).toBe(2);
});

test("a key is 1 to 255 visible characters", async () => {
  for (const key of ["", "a b", "x".repeat(256), "ümlaut"]) {
    expect((await post("key-form", key)).status, key).toBe(422);
  }
  expect((await post("key-form", "x".repeat(255))).status).toBe(201);
});

test("neither answers nor requests can be read in the database", async () => {
  const response = await post(`${CANARY}-request`, "key-canary");
  const { password } = (await response.json()) as { password: string };
  const stored = await server.database.asSystem((trx) =>
    trx.selectFrom("idempotency_keys").select(["response", "request_hash"]).execute(),
  );
  expect(stored.length).toBeGreaterThan(0);
  const bytes = Buffer.concat(stored.flatMap((row) => [row.response, row.request_hash])).toString("latin1");
  expect(bytes).not.toContain(password);
  expect(bytes).not.toContain(CANARY);
});

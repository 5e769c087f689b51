/** What must hold for every route of the whole server, whoever adds one: read off its own OpenAPI document. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problem, SCOPES, type Scope } from "@portreeve/api-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../config.ts";
import { createTestDatabase } from "../database/testing.ts";
import { createLogger } from "../kernel/log.ts";
import { startServer } from "../main.ts";
import { insertToken } from "../tokens/store.ts";
import { generateToken, hashToken } from "../tokens/token-text.ts";

interface Operation {
  method: string;
  path: string;
  scope: Scope;
  hasBody: boolean;
}

interface OpenApi {
  paths: Record<string, Record<string, { security: { bearer: [Scope] }[]; requestBody?: unknown }>>;
}

const running = new AsyncDisposableStack();
let url: string;
let operations: Operation[];
const tokens = new Map<Scope, string>();
let stranger: string;

beforeAll(async () => {
  const testDatabase = running.use(await createTestDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), "portreeve-server-"));
  running.defer(() => rm(dataDir, { recursive: true, force: true }));
  const settings = loadConfig({ PORTREEVE_HTTP: "127.0.0.1:0", PORTREEVE_DATA_DIR: dataDir });
  const config = {
    ...settings,
    databaseUrl: testDatabase.connectionString,
    roles: new Set(["api"] as const),
  };
  const server = running.use(await startServer(config, createLogger("silent")));
  url = server.url ?? "";
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security, requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{[^}]+\}/g, () => randomUUID()),
      scope: security[0]?.bearer[0] as Scope,
      hasBody: requestBody !== undefined,
    })),
  );
  await testDatabase.database.asSystem(async (trx) => {
    const mint = async (customerId: string, scopes: readonly Scope[]) => {
      const id = randomUUID();
      const text = generateToken(id).reveal();
      await insertToken(trx, { id, customerId, name: "t", hash: hashToken(text), scopes, expiresAt: null });
      return text;
    };
    const { id: first } = await trx.selectFrom("customers").select("id").executeTakeFirstOrThrow();
    for (const scope of SCOPES) tokens.set(scope, await mint(first, [scope]));
    const other = randomUUID();
    await trx.insertInto("customers").values({ id: other, name: "other" }).execute();
    stranger = await mint(other, SCOPES);
  });
});
afterAll(() => running.disposeAsync());

async function call({ method, path, hasBody }: Operation, token: string | undefined, body = "{}") {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { "content-type": "application/json" } : {}),
    },
    ...(hasBody ? { body } : {}),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const nameOf = ({ method, path }: Operation) => `${method} ${path}`;
const problemIn = (text: string) => problem.strict().parse(JSON.parse(text));

test("the document lists the routes of every domain", () => {
  const roots = new Set(operations.map(({ path }) => path.split("/")[2]));
  expect([...roots]).toEqual(expect.arrayContaining(["sites", "control-plane", "tokens", "audit"]));
});

test("no route answers without a token, and the refusal is the same everywhere", async () => {
  const answers = await Promise.all(operations.map((operation) => call(operation, undefined)));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(problemIn(answers[0]?.text ?? "")).toMatchObject({ status: 401, code: "unauthenticated" });
});

test("no route answers a token that lacks its scope, and each names the scope", async () => {
  for (const operation of operations) {
    const others = SCOPES.filter((scope) => scope !== operation.scope);
    const answers = await Promise.all(others.map((scope) => call(operation, tokens.get(scope))));
    for (const { text } of answers) {
      expect(problemIn(text), nameOf(operation)).toMatchObject({
        status: 403,
        code: "insufficient-scope",
        detail: expect.stringContaining(operation.scope),
      });
    }
  }
});

test("no route that takes a body takes an unknown field, a list, or a __proto__", async () => {
  const unknown = `unknown-${randomUUID()}`;
  for (const operation of operations.filter(({ hasBody }) => hasBody)) {
    const token = tokens.get(operation.scope);
    const named = problemIn((await call(operation, token, `{"${unknown}":1}`)).text);
    expect(named, nameOf(operation)).toMatchObject({ status: 422, code: "validation-failed" });
    expect(Object.keys(named.errors ?? {}), nameOf(operation)).toContain(unknown);
    expect(problemIn((await call(operation, token, "[]")).text), nameOf(operation)).toMatchObject({
      status: 422,
    });
    const prototype = await call(operation, token, '{"__proto__":{"admin":true}}');
    expect(problemIn(prototype.text), nameOf(operation)).toMatchObject({ status: 400 });
  }
});

test("an id nobody has is 404 on every route that reads or removes one thing, whoever asks", async () => {
  const single = operations.filter(({ path, hasBody }) => /[0-9a-f]{8}-/.test(path) && !hasBody);
  expect(single.length).toBeGreaterThan(3);
  for (const operation of single) {
    const [own, foreign] = [
      await call(operation, tokens.get(operation.scope)),
      await call(operation, stranger),
    ];
    expect(problemIn(own.text), nameOf(operation)).toMatchObject({ status: 404 });
    expect(foreign.text, nameOf(operation)).toBe(own.text);
    const malformed = { ...operation, path: operation.path.replace(/[0-9a-f]{8}-/, "x-") };
    expect((await call(malformed, stranger)).status, nameOf(operation)).toBe(404);
  }
});

test("no route takes a query parameter it does not know", async () => {
  for (const operation of operations.filter(({ hasBody }) => !hasBody)) {
    const path = `${operation.path}?unknown=1`;
    const answer = problemIn((await call({ ...operation, path }, tokens.get(operation.scope))).text);
    expect(answer, nameOf(operation)).toMatchObject({ status: 422 });
    expect(Object.keys(answer.errors ?? {}), nameOf(operation)).toEqual(["unknown"]);
  }
});

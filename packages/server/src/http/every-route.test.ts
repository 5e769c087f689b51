/** What must hold for every route of the whole server, whoever adds one: read from its own OpenAPI document. */
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
import { brokenPromises, publishedApi } from "./published-api.fixture.ts";

/**
 * Which scope each route needs, written down here a second time on purpose: a test that asked the server would find any
 * scope right.
 */
const SCOPE_OF: Readonly<Record<string, Scope>> = {
  "GET /v1/audit": "audit:read",
  "GET /v1/certificate-authority": "certificates:read",
  "PUT /v1/certificate-authority": "certificates:write",
  "DELETE /v1/certificate-authority": "certificates:write",
  "GET /v1/control-plane/management-network": "policies:read",
  "GET /v1/control-plane/policies": "policies:read",
  "POST /v1/control-plane/policies": "policies:write",
  "GET /v1/control-plane/policies/{id}": "policies:read",
  "PUT /v1/control-plane/policies/{id}": "policies:write",
  "DELETE /v1/control-plane/policies/{id}": "policies:write",
  "POST /v1/control-plane/policies/{id}/preview": "policies:read",
  "POST /v1/control-plane/policies/{id}/sites": "policies:write",
  "PUT /v1/control-plane/policies/{id}/sites": "policies:write",
  "GET /v1/control-plane/{site}/credentials": "credentials:read",
  "POST /v1/control-plane/{site}/credentials": "credentials:rotate",
  "GET /v1/control-plane/{site}/transient-access": "access:read",
  "POST /v1/control-plane/{site}/transient-access": "access:open",
  "GET /v1/control-plane/{site}/transient-access/{id}": "access:read",
  "DELETE /v1/control-plane/{site}/transient-access/{id}": "access:revoke",
  "DELETE /v1/policies/{id}": "policies:write",
  "GET /v1/gateways": "gateways:read",
  "POST /v1/gateways": "gateways:write",
  "DELETE /v1/gateways/{id}": "gateways:write",
  "GET /v1/rollouts": "policies:read",
  "GET /v1/rollouts/{id}": "policies:read",
  "POST /v1/rollouts/{id}/pause": "policies:write",
  "POST /v1/rollouts/{id}/resume": "policies:write",
  "POST /v1/rollouts/{id}/rollback": "policies:write",
  "GET /v1/rollouts/{id}/sites": "policies:read",
  "GET /v1/sites": "sites:read",
  "POST /v1/sites": "sites:write",
  "GET /v1/sites/{id}": "sites:read",
  "PATCH /v1/sites/{id}": "sites:write",
  "DELETE /v1/sites/{id}": "sites:write",
  "GET /v1/sites/{id}/exposure": "sites:read",
  "POST /v1/sites/{id}/exposure": "sites:write",
  "GET /v1/sites/{id}/hardening": "sites:read",
  "POST /v1/sites/{id}/hardening": "sites:write",
  "DELETE /v1/sites/{id}/hardening/{fix}": "sites:write",
  "GET /v1/sites/{id}/plan": "sites:read",
  "POST /v1/sites/{id}/reconcile": "sites:write",
  "GET /v1/tokens": "tokens:read",
  "POST /v1/tokens": "tokens:write",
  "DELETE /v1/tokens/{id}": "tokens:write",
};

interface Operation {
  /** As the document writes it, such as `GET /v1/sites/{id}`. */
  route: string;
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
let document: OpenApi;
let operations: Operation[];
const tokens = new Map<Scope, string>();
let otherCustomer: string;

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
  document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      route: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replace(/\{[^}]+\}/g, () => randomUUID()),
      scope: SCOPE_OF[`${method.toUpperCase()} ${path}`] as Scope,
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
    otherCustomer = await mint(other, SCOPES);
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

const problemIn = (text: string) => problem.strict().parse(JSON.parse(text));

test("the document lists the routes of every domain, each with the scope it needs", () => {
  const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => [
      `${method.toUpperCase()} ${path}`,
      security[0]?.bearer[0],
    ]),
  );
  expect(Object.fromEntries(listed)).toEqual(SCOPE_OF);
});

test("the document still says everything that was published", () => {
  expect(brokenPromises(publishedApi, { ...document })).toEqual([]);
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
      expect(problemIn(text), operation.route).toMatchObject({
        status: 403,
        code: "insufficient-scope",
        detail: expect.stringContaining(operation.scope),
      });
    }
  }
});

test("a token with the scope of a route alone passes, and no cache may keep what it is answered", async () => {
  for (const operation of operations) {
    const { status, headers } = await call(operation, tokens.get(operation.scope), "[]");
    expect([401, 403], operation.route).not.toContain(status);
    expect(headers.get("cache-control"), operation.route).toBe("no-store");
  }
});

test("no route that takes a body takes an unknown field, a list, or a __proto__", async () => {
  const unknown = `unknown-${randomUUID()}`;
  for (const operation of operations.filter(({ hasBody }) => hasBody)) {
    const token = tokens.get(operation.scope);
    const named = problemIn((await call(operation, token, `{"${unknown}":1}`)).text);
    expect(named, operation.route).toMatchObject({ status: 422, code: "validation-failed" });
    expect(Object.keys(named.errors ?? {}), operation.route).toContain(unknown);
    expect(problemIn((await call(operation, token, "[]")).text), operation.route).toMatchObject({
      status: 422,
    });
    const prototype = await call(operation, token, '{"__proto__":{"admin":true}}');
    expect(problemIn(prototype.text), operation.route).toMatchObject({ status: 400 });
  }
});

test("an id nobody has is 404 on every route that reads or removes one thing, whichever token asks", async () => {
  const single = operations.filter(({ path, hasBody }) => /[0-9a-f]{8}-/.test(path) && !hasBody);
  expect(single.length).toBeGreaterThan(3);
  for (const operation of single) {
    const [own, foreign] = [
      await call(operation, tokens.get(operation.scope)),
      await call(operation, otherCustomer),
    ];
    expect(problemIn(own.text), operation.route).toMatchObject({ status: 404 });
    expect(foreign.text, operation.route).toBe(own.text);
    const malformed = { ...operation, path: operation.path.replace(/[0-9a-f]{8}-/, "x-") };
    expect((await call(malformed, otherCustomer)).status, operation.route).toBe(404);
  }
});

test("no route takes a query parameter it does not know", async () => {
  for (const operation of operations.filter(({ hasBody }) => !hasBody)) {
    const path = `${operation.path}?unknown=1`;
    const answer = problemIn((await call({ ...operation, path }, tokens.get(operation.scope))).text);
    expect(answer, operation.route).toMatchObject({ status: 422 });
    expect(Object.keys(answer.errors ?? {}), operation.route).toEqual(["unknown"]);
  }
});

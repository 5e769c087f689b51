import { SCOPES } from "@portreeve/api-schema";
import { sql } from "kysely";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { auditRoutes } from "../audit/index.ts";
import { route } from "../kernel/route.ts";
import { tokenRoutes } from "../tokens/index.ts";
import { Keyring, Vault } from "../vault/index.ts";
import { buildApp } from "./app.ts";
import { startTestServer, type TestServer } from "./testing.ts";

/** One route for every scope there is, beside the real ones. */
const scopeRoutes = [
  ...SCOPES.map((scope) =>
    route({
      method: "GET",
      path: `/v1/needs/${scope.replace(":", "/")}`,
      scope,
      tag: "Test",
      summary: "Show where the caller is seen",
      output: z.object({ address: z.string() }),
      run: async ({ caller: { address } }) => ({ address }),
    }),
  ),
  route({
    method: "POST",
    path: "/v1/echo",
    scope: "sites:write",
    tag: "Test",
    summary: "Take nothing",
    input: { body: z.strictObject({}) },
    status: 204,
    run: ({ mutate }) => mutate(async () => {}),
  }),
];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    routes: [...scopeRoutes, ...tokenRoutes(), ...auditRoutes()],
    trustedProxies: ["127.0.0.9"],
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const needs = (scope: string) => `/v1/needs/${scope.replace(":", "/")}`;

test("a token reaches exactly the routes of its own scopes", async () => {
  for (const scope of SCOPES) {
    const token = await server.mint({ scopes: [scope] });
    const answers = await Promise.all(
      SCOPES.map(async (needed) => [needed, (await server.call("GET", needs(needed), { token })).status]),
    );
    expect(Object.fromEntries(answers)).toEqual(
      Object.fromEntries(SCOPES.map((needed) => [needed, needed === scope ? 200 : 403])),
    );
  }
});

test("the refusal names the scope that is missing", async () => {
  const token = await server.mint({ scopes: ["sites:read"] });
  const response = await server.call("GET", needs("policies:read"), { token });
  expect(response.status).toBe(403);
  expect(response.headers.get("www-authenticate")).toContain('scope="policies:read"');
  expect(await response.json()).toMatchObject({
    code: "insufficient-scope",
    detail: "This needs a token with the scope policies:read.",
  });
});

test("every route below /v1 refuses a missing, unknown, expired or revoked token with the very same bytes", async () => {
  const expired = await server.mint({ scopes: SCOPES, expiresAt: new Date(Date.now() - 1_000) });
  const revoked = await server.mint({ scopes: SCOPES });
  await server.database.asSystem((trx) =>
    trx
      .updateTable("api_tokens")
      .set({ revoked_at: sql<Date>`now()` })
      .where("token_hash", "=", sql<Buffer>`sha256(${revoked}::bytea)`)
      .execute(),
  );
  const headers = [
    {},
    { authorization: "" },
    { authorization: "Bearer" },
    { authorization: "Bearer short" },
    { authorization: `Basic ${btoa(`admin:${server.token}`)}` },
    { authorization: server.token },
    { authorization: `Bearer ${server.token} ${server.token}` },
    { authorization: `Bearer ${server.token}x` },
    { authorization: `Bearer ${server.token.toUpperCase()}` },
    { authorization: `Bearer ${"x".repeat(5_000)}` },
    { authorization: `Bearer prv_00000000_${"A".repeat(32)}_000000` },
    { authorization: `Bearer ${expired}` },
    { authorization: `Bearer ${revoked}` },
  ];
  const paths = [
    ["GET", "/v1/tokens"],
    ["POST", "/v1/tokens"],
    ["DELETE", "/v1/tokens/00000000-0000-4000-8000-000000000000"],
    ["GET", "/v1/audit"],
    ["GET", needs("sites:read")],
  ] as const;
  const answers = new Set<string>();
  for (const [method, path] of paths) {
    for (const header of headers) {
      const response = await server.call(method, path, { token: null, headers: header });
      const shown = [...response.headers].filter(
        ([name]) => !/^(date|x-request-id|x-ratelimit-.*)$/.test(name),
      );
      answers.add(JSON.stringify([response.status, shown, await response.text()]));
    }
  }
  expect([...answers]).toEqual([expect.stringMatching(/^\[401,.*"www-authenticate","Bearer realm/)]);
});

test("a request without a good token is answered before its body is looked at", async () => {
  const options = { token: null, body: "{not json", headers: { "content-type": "application/json" } };
  expect((await server.call("POST", "/v1/echo", options)).status).toBe(401);
  const token = await server.mint({ scopes: ["sites:read"] });
  expect((await server.call("POST", "/v1/echo", { ...options, token })).status).toBe(403);
});

test("no other spelling of a path gets around the token", async () => {
  for (const path of [
    "//v1/tokens",
    "/V1/tokens",
    "/v1//tokens",
    "/%76%31/tokens",
    "/./v1/tokens",
    "/v1/tokens/",
    "/x/../v1/tokens",
  ]) {
    const response = await server.call("GET", path, { token: null });
    expect([401, 404], path).toContain(response.status);
  }
});

test("a HEAD request needs the scope as its GET does", async () => {
  expect((await server.call("HEAD", "/v1/tokens", { token: null })).status).toBe(401);
  const token = await server.mint({ scopes: ["sites:read"] });
  expect((await server.call("HEAD", "/v1/tokens", { token })).status).toBe(403);
});

test("the address of the caller is the socket's, whatever an untrusted client claims in X-Forwarded-For", async () => {
  const headers = {
    "x-forwarded-for": "203.0.113.7",
    forwarded: "for=203.0.113.7",
    "x-real-ip": "203.0.113.7",
  };
  const response = await server.call("GET", needs("sites:read"), { headers });
  expect(await response.json()).toEqual({ address: "127.0.0.1" });
});

test("a route below /v1 that states no scope keeps the server from starting", async () => {
  await using app = buildApp({
    log: pino({ level: "silent" }),
    database: server.database,
    vault: new Vault(new Keyring(new Map([[1, Buffer.alloc(32)]]))),
    authenticate: async () => undefined,
    routes: [],
  });
  expect(() => app.get("/v1/open", async () => ({}))).toThrow("GET /v1/open states no scope");
});

import { type CreatedToken, SCOPES, type Token, type TokenList } from "@portreeve/api-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditRoutes } from "../audit/index.ts";
import { startTestServer, type TestServer } from "../http/testing.ts";
import { tokenRoutes } from "./routes.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ routes: [...tokenRoutes(), ...auditRoutes()] });
});
afterAll(() => server[Symbol.asyncDispose]());

async function create(body: object, token?: string): Promise<CreatedToken> {
  const response = await server.call("POST", "/v1/tokens", {
    body,
    ...(token === undefined ? {} : { token }),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as CreatedToken;
}

async function list(query = "", token = server.token): Promise<TokenList> {
  return (await (await server.call("GET", `/v1/tokens?${query}`, { token })).json()) as TokenList;
}

test("a new token is shown once, works at once, and is refused once revoked", async () => {
  const made = await server.call("POST", "/v1/tokens", { body: { name: "ops", scopes: ["tokens:read"] } });
  expect(made.status).toBe(201);
  expect(made.headers.get("cache-control")).toBe("no-store");
  const { id, token } = (await made.json()) as CreatedToken;

  const shown = await server.call("GET", "/v1/tokens", { token });
  expect(shown.status).toBe(200);
  expect(await shown.text()).not.toContain(token);

  expect((await server.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
  expect((await server.call("GET", "/v1/tokens", { token })).status).toBe(401);
  const row = (await list()).data.find((one) => one.id === id);
  expect(row).toMatchObject({ name: "ops", scopes: ["tokens:read"], revoked_at: expect.any(String) });
});

test("revoking twice changes nothing, and nobody revokes what is not there or not theirs", async () => {
  const { id } = await create({ name: "twice", scopes: ["sites:read"] });
  expect((await server.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
  const { revoked_at } = (await list()).data.find((token) => token.id === id) as Token;
  expect((await server.call("DELETE", `/v1/tokens/${id.toUpperCase()}`)).status).toBe(204);
  expect((await list()).data.find((token) => token.id === id)?.revoked_at).toBe(revoked_at);

  const otherCustomer = await server.mint({ customerId: await server.addCustomer(), scopes: SCOPES });
  const { id: ours, token } = await create({ name: "ours", scopes: ["tokens:read"] });
  const foreign = await server.call("DELETE", `/v1/tokens/${ours}`, { token: otherCustomer });
  const unknown = await server.call("DELETE", "/v1/tokens/00000000-0000-4000-8000-000000000000");
  expect([foreign.status, unknown.status]).toEqual([404, 404]);
  expect(await foreign.text()).toBe(await unknown.text());
  expect((await server.call("GET", "/v1/tokens", { token })).status).toBe(200);
  expect((await list("", otherCustomer)).data).toHaveLength(1);
});

test("a token can't make one with a scope it lacks, whichever scope it is", async () => {
  for (const lacking of SCOPES.filter((scope) => scope !== "tokens:write")) {
    const token = await server.mint({ scopes: SCOPES.filter((scope) => scope !== lacking) });
    const response = await server.call("POST", "/v1/tokens", {
      token,
      body: { name: "strong", scopes: [lacking] },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: "stronger-token",
      errors: { scopes: [expect.stringContaining(lacking)] },
    });
  }
});

test("a token that ends can't make one that ends later or never", async () => {
  const ends = new Date(Date.now() + 3_600_000);
  const token = await server.mint({ scopes: SCOPES, expiresAt: ends });
  const body = (expires_at: string | null) => ({ name: "heir", scopes: ["sites:read"], expires_at });
  for (const later of [null, new Date(ends.getTime() + 1).toISOString()]) {
    const response = await server.call("POST", "/v1/tokens", { token, body: body(later) });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "outliving-token" });
  }
  expect((await create(body(ends.toISOString()), token)).expires_at).toBe(ends.toISOString());
});

test("a token that would have ended already is refused", async () => {
  const body = { name: "past", scopes: ["sites:read"], expires_at: "2020-01-01T00:00:00Z" };
  const response = await server.call("POST", "/v1/tokens", { body });
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({ errors: { expires_at: ["must be in the future"] } });
});

test("a token that makes no sense is named field by field", async () => {
  const wrong = {
    name: " ",
    scopes: ["sites:read", "sites:read", "root"],
    expires_at: "tomorrow",
    admin: true,
  };
  const response = await server.call("POST", "/v1/tokens", { body: wrong });
  expect(response.status).toBe(422);
  const { errors } = (await response.json()) as { errors: object };
  expect(Object.keys(errors).sort()).toEqual(["admin", "expires_at", "name", "scopes.2"]);
});

test("making and revoking are audited, without the token", async () => {
  const { id, token } = await create({ name: "audited", scopes: ["sites:read"] });
  await server.call("DELETE", `/v1/tokens/${id}`);
  const text = await (await server.call("GET", "/v1/audit?limit=2")).text();
  expect(JSON.parse(text).data).toMatchObject([
    { action: "token.revoked", subject_id: id, actor: "token:bootstrap", source_address: "127.0.0.1" },
    {
      action: "token.created",
      subject_id: id,
      detail: { name: "audited", scopes: ["sites:read"], expires_at: null },
    },
  ]);
  expect(text).not.toContain(token);
});

test("the same Idempotency-Key makes one token and shows it again", async () => {
  const options = {
    body: { name: "once", scopes: ["sites:read"] },
    headers: { "idempotency-key": "token-once" },
  };
  const first = await (await server.call("POST", "/v1/tokens", options)).text();
  expect(await (await server.call("POST", "/v1/tokens", options)).text()).toBe(first);
  expect((await list("limit=200")).data.filter((token) => token.name === "once")).toHaveLength(1);
});

test("pages of tokens follow one another without a gap or a repetition", async () => {
  const all = (await list("limit=200")).data.map((token) => token.id);
  const seen: string[] = [];
  let query = "limit=7";
  for (;;) {
    const page = await list(query);
    seen.push(...page.data.map((token) => token.id));
    if (page.next_cursor === null) break;
    query = `limit=7&cursor=${page.next_cursor}`;
  }
  expect(all.length).toBeGreaterThan(14);
  expect(seen).toEqual(all);
});

test("no usable token stands in the database", async () => {
  const { token } = await create({ name: "canary", scopes: ["sites:read"] });
  const dump = await server.test.dump();
  expect(dump).toContain("canary");
  expect(dump).not.toContain(token);
  expect(dump).not.toContain(token.split("_")[2]);
  expect(dump).not.toContain(server.token);
});

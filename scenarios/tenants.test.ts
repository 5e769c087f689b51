/**
 * Who may do what: every route of the document with another customer's ids, and with every token that must not do.
 * Made from /openapi.json. A route that is new here fails until its parameters and body are named below.
 */
import { randomUUID } from "node:crypto";
import { SCOPES, type Scope, type Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { expect } from "vitest";
import { makeAuthority } from "./harness/authority.ts";
import {
  ADMIN,
  type Answer,
  type ApiClient,
  addCustomer,
  adopt,
  createPolicy,
  expectInSync,
  expectProblem,
  expectRollout,
  expectStatus,
  policyOf,
  startRouter,
  type TestServer,
  useBindablePorts,
} from "./harness/index.ts";
import { type DocumentedRoute, documentedRoutes, fillIn } from "./harness/routes.ts";
import { scenario } from "./harness/scenario.ts";

const GRANT = { expire_after_minutes: 5, type: "winbox", full_access: false, allow_rfc1918: false };

/** A body that would be taken, by method and path. */
const BODIES: Readonly<Record<string, unknown>> = {
  "POST /v1/sites": { name: "new", address: "192.0.2.1", ...ADMIN },
  "PATCH /v1/sites/{id}": { name: "renamed" },
  "POST /v1/sites/{id}/hardening": { fixes: ["socks"] },
  "POST /v1/control-plane/policies": policyOf(),
  "PUT /v1/control-plane/policies/{id}": policyOf(),
  "POST /v1/control-plane/policies/{id}/sites": { sites: [] },
  "PUT /v1/control-plane/policies/{id}/sites": { sites: [] },
  "POST /v1/control-plane/policies/{id}/preview": {},
  "POST /v1/control-plane/{site}/transient-access": GRANT,
  "PUT /v1/certificate-authority": makeAuthority("Ours"),
  "POST /v1/gateways": { name: "new", entry_point: "gateway.example" },
  "POST /v1/tokens": { name: "new", scopes: ["tokens:write"] },
};

/** What a path parameter names, by the path up to it. */
const NAMED: Readonly<Record<string, keyof Ids>> = {
  "/v1/sites/{id}": "site",
  "/v1/sites/{id}/hardening/{fix}": "fix",
  "/v1/control-plane/policies/{id}": "policy",
  "/v1/policies/{id}": "policy",
  "/v1/control-plane/{site}": "site",
  "/v1/control-plane/{site}/transient-access/{id}": "access",
  "/v1/tokens/{id}": "token",
  "/v1/rollouts/{id}": "rollout",
  "/v1/gateways/{id}": "gateway",
};

/** What one customer has, by id. */
interface Ids {
  readonly site: string;
  readonly policy: string;
  readonly access: string;
  readonly token: string;
  readonly rollout: string;
  /** Of the installation; for who does not run it, an id of nothing. */
  readonly gateway: string;
  /** A fingerprint. */
  readonly authority: string;
  /** A name, that the other customer's site has not. */
  readonly fix: string;
}

const test = scenario
  .override("bindablePorts", false)
  .extend("routes", { scope: "file" }, ({ server }) => documentedRoutes(server.api))
  .extend("them", { scope: "file" }, ({ server }) => addCustomer(server))
  /** Ours and theirs. */
  .extend("routers", { scope: "file" }, async ({ server, closing }) => {
    const start = async () => closing.use(await startRouter(server.net));
    return [await start(), await start()] as const;
  })
  .extend("ours", { scope: "file" }, ({ server, routers }) => furnish(server.api, routers[0], "socks"))
  .extend("theirs", { scope: "file" }, ({ them, routers }) => furnish(them, routers[1], "upnp"));

/** One of everything. */
async function furnish(api: ApiClient, router: Emulator, fix: string): Promise<Ids> {
  const added = await api.post("/v1/gateways", { name: fix, entry_point: "gateway.example" });
  const gateway = added.status === 201 ? added.body.id : randomUUID();
  await useBindablePorts(api);
  const { id: site }: Site = await adopt(api, router);
  const { id: policy } = await createPolicy(api);
  const { id: access } = expectStatus(
    await api.post(`/v1/control-plane/${site}/transient-access`, GRANT),
    201,
  );
  const token = expectStatus(await api.post("/v1/tokens", { name: "t", scopes: ["sites:read"] }), 201).id;
  const attached = await api.post(`/v1/control-plane/policies/${policy}/sites`, { sites: [site] });
  const rollout = expectStatus(attached, 200).rollout.id;
  await expectRollout(api, rollout, "done");
  await expectInSync(api, site);
  expectStatus(await api.post(`/v1/sites/${site}/hardening`, { fixes: [fix] }), 202);
  await expectInSync(api, site);
  const put = await api.put("/v1/certificate-authority", makeAuthority(fix));
  return {
    site,
    policy,
    access,
    token,
    rollout,
    gateway,
    fix,
    authority: expectStatus(put, 200).fingerprint,
  };
}

function bodyOf({ method, path, takesBody }: DocumentedRoute): { body?: unknown } {
  const route = `${method} ${path}`;
  if (takesBody && !(route in BODIES)) throw new Error(`name a body for the new route ${route} in BODIES`);
  return takesBody ? { body: BODIES[route] } : {};
}

/** Parameter -> what it names. */
function namedBy({ path, parameters }: DocumentedRoute): Record<string, keyof Ids> {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const upTo = path.slice(0, path.indexOf(`{${parameter}}`) + parameter.length + 2);
      const kind = NAMED[upTo];
      if (!kind) throw new Error(`say in NAMED what ${upTo} names`);
      return [parameter, kind];
    }),
  );
}

/** Every way to fill a route's parameters with at least one id of theirs. */
function foreignPaths(ours: Ids, theirs: Ids, route: DocumentedRoute): string[] {
  const named = Object.entries(namedBy(route));
  const ways = 2 ** named.length - 1;
  return Array.from({ length: ways }, (_, way) => {
    const values = named.map(([parameter, kind], bit) => [
      parameter,
      ((way + 1) >> bit) & 1 ? theirs[kind] : ours[kind],
    ]);
    return fillIn(route.path, Object.fromEntries(values));
  });
}

/** Everything another customer has, but for when a token was used last. */
async function everythingOfTheirs(server: TestServer, theirs: Ids): Promise<unknown> {
  const [{ customer_id: customer } = {}] = await server.sql("select customer_id from sites where id = $1", [
    theirs.site,
  ]);
  const tables = [
    "policies",
    "policy_revisions",
    "rollouts",
    "rollout_sites",
    "sites",
    "site_connections",
    "site_policies",
    "site_certificates",
    "site_sync",
    "credentials",
    "transient_access",
    "site_hardening_fixes",
    "audit_events",
    "api_tokens",
    "idempotency_keys",
    "exposure_checks",
    "exposure_schedule",
    "exposure_requests",
    "certificate_authorities",
  ];
  const everything: Record<string, unknown> = {};
  for (const table of tables) {
    everything[table] = await server.sql(
      `select to_jsonb(t) - 'last_used_at' - 'last_seen_at' - 'sync_checked_at' as row from ${table} t
       where customer_id = $1 order by 1`,
      [customer],
    );
  }
  return everything;
}

test("every route answers 404 for another customer's ids, as for ids of nothing, and changes nothing there", async ({
  server,
  routes,
  ours,
  theirs,
}) => {
  const before = await everythingOfTheirs(server, theirs);
  let asked = 0;
  for (const route of routes.filter(({ parameters }) => parameters.length > 0)) {
    for (const path of foreignPaths(ours, theirs, route)) {
      asked++;
      const answer = await server.api.call(route.method, path, bodyOf(route));
      expect([route.method, path, answer.status]).toEqual([route.method, path, 404]);
      const nothing = Object.fromEntries(route.parameters.map((name) => [name, randomUUID()]));
      const unknown = await server.api.call(route.method, fillIn(route.path, nothing), bodyOf(route));
      const sameSite = path.includes(ours.site);
      if (!sameSite) expect(answer.body).toEqual(unknown.body);
      expect(answer.text).not.toContain(theirs.policy);
    }
  }
  expect(asked).toBeGreaterThan(15);
  expect(await everythingOfTheirs(server, theirs)).toEqual(before);
});

test("attaching names another customer's site as one that does not exist", async ({
  server,
  ours,
  theirs,
}) => {
  const before = await everythingOfTheirs(server, theirs);
  for (const method of ["PUT", "POST"]) {
    const path = `/v1/control-plane/policies/${ours.policy}/sites`;
    const answer = await server.api.call(method, path, { body: { sites: [theirs.site] } });
    const problem = expectProblem(answer, 422, "validation-failed");
    expect(problem.errors?.["sites.0"]?.join()).toContain(theirs.site);
    const nothing = randomUUID();
    const unknown = await server.api.call(method, path, { body: { sites: [nothing] } });
    expect(answer.text.replaceAll(theirs.site, nothing)).toBe(unknown.text);
  }
  expect(await everythingOfTheirs(server, theirs)).toEqual(before);
});

test("no list shows anything of another customer, whatever it is filtered by", async ({
  server,
  routes,
  ours,
  theirs,
}) => {
  const lists = routes.filter(
    ({ method, path, parameters }) => method === "GET" && parameters.length === 0 && path !== SAME_FOR_ALL,
  );
  expect(lists.length).toBeGreaterThanOrEqual(4);
  for (const { path } of lists) {
    for (const query of ["", `?policy_id=${theirs.policy}`, `?site_id=${theirs.site}`]) {
      const answer = await readWhole(ours, server.api, path + query);
      for (const id of Object.values(theirs)) expect(`${path} ${answer}`).not.toContain(id);
    }
    const own = await readWhole(ours, server.api, path);
    expect(Object.values(ours).some((id) => own.includes(id))).toBe(true);
  }
});

/** No list: a setting of the server, which every customer is told. */
const SAME_FOR_ALL = "/v1/control-plane/management-network";

/** A list may be a stream of events, which never ends by itself. */
async function readWhole(ours: Ids, api: ApiClient, path: string): Promise<string> {
  const answer = await fetch(api.url + path, { headers: { authorization: `Bearer ${api.token}` } });
  if (answer.headers.get("content-type")?.startsWith("text/event-stream")) {
    await answer.body?.cancel();
    return Object.values(ours).join();
  }
  return answer.text();
}

test("an Idempotency-Key of another customer is another key", async ({ server, them }) => {
  const headers = { "idempotency-key": `shared-${randomUUID()}` };
  const path = "/v1/control-plane/policies";
  const first = expectStatus(await them.post(path, policyOf({ name: "Theirs" }), { headers }), 201);
  const second = expectStatus(await server.api.post(path, policyOf({ name: "Ours" }), { headers }), 201);
  expect(second.name).toBe("Ours");
  expect(second.id).not.toBe(first.id);
});

test("routers of two customers do not know each other's users", async ({ server, ours, theirs, routers }) => {
  const names = routers.map(({ control }) => control.rows("/user").map(({ name }) => name));
  const logins = await server.sql("select site_id, username from transient_access");
  expect(logins.map((login) => login.site_id).toSorted()).toEqual([ours.site, theirs.site].toSorted());
  for (const { site_id: site, username } of logins) {
    const own = site === ours.site ? 0 : 1;
    expect(names[own]).toContain(username);
    expect(names[1 - own]).not.toContain(username);
  }
});

/** Send a route with ids of nothing, so that a token that is let in changes little; the status alone. */
async function statusFor(server: TestServer, route: DocumentedRoute, token: string | null): Promise<Answer> {
  const nothing = Object.fromEntries(route.parameters.map((name) => [name, randomUUID()]));
  return server.api.call(route.method, fillIn(route.path, nothing), { ...bodyOf(route), token });
}

async function tokenWith(
  server: TestServer,
  scopes: readonly Scope[],
): Promise<{ id: string; token: string }> {
  return expectStatus(await server.api.post("/v1/tokens", { name: "t", scopes }), 201);
}

test("every route refuses a token that has every scope but its own", async ({ server, routes }) => {
  for (const scope of new Set(routes.map((route) => route.scope))) {
    const { token } = await tokenWith(
      server,
      SCOPES.filter((one) => one !== scope),
    );
    for (const route of routes.filter((one) => one.scope === scope)) {
      const problem = expectProblem(await statusFor(server, route, token), 403, "insufficient-scope");
      expect(problem.detail).toContain(scope);
    }
  }
});

test("every route lets a token in that has its scope and no other", async ({ server, routes }) => {
  for (const scope of new Set(routes.map((route) => route.scope))) {
    const { token } = await tokenWith(server, [scope]);
    for (const route of routes.filter((one) => one.scope === scope && !isStream(one))) {
      const { status } = await statusFor(server, route, token);
      expect([route.method, route.path, [401, 403].includes(status)]).toEqual([
        route.method,
        route.path,
        false,
      ]);
      expect(status).toBeLessThan(500);
    }
  }
});

const isStream = ({ path }: DocumentedRoute) => path === "/v1/events";

test("every route refuses no token, an expired one, a revoked one and one of a text nobody made", async ({
  server,
  routes,
}) => {
  const expired = await tokenWith(server, SCOPES);
  await server.sql("update api_tokens set expires_at = now() where id = $1", [expired.id]);
  const revoked = await tokenWith(server, SCOPES);
  expectStatus(await server.api.get("/v1/sites", { token: revoked.token }), 200);
  expectStatus(await server.api.delete(`/v1/tokens/${revoked.id}`), 204);
  for (const route of routes) {
    for (const token of [null, expired.token, revoked.token, "x".repeat(53)]) {
      expectProblem(await statusFor(server, route, token), 401, "unauthenticated");
    }
  }
});

test("a token can't make one that may do or lasts more than itself", async ({ server }) => {
  const { token } = await tokenWith(server, ["tokens:write", "sites:read"]);
  for (const scope of SCOPES.filter((one) => one !== "tokens:write" && one !== "sites:read")) {
    const answer = await server.api.post("/v1/tokens", { name: "more", scopes: [scope] }, { token });
    expect([scope, answer.status]).toEqual([scope, 403]);
  }
  const soon = new Date(Date.now() + 60_000).toISOString();
  const short = expectStatus(
    await server.api.post("/v1/tokens", { name: "short", scopes: ["tokens:write"], expires_at: soon }),
    201,
  );
  const longer = { name: "longer", scopes: ["tokens:write"], expires_at: null };
  expect((await server.api.post("/v1/tokens", longer, { token: short.token })).status).toBe(403);
});

test("passwords are shown to tokens that may reveal them, and to no other", async ({ server, ours }) => {
  const { token } = await tokenWith(
    server,
    SCOPES.filter((scope) => scope !== "credentials:reveal"),
  );
  const credentials = await server.api.get(`/v1/control-plane/${ours.site}/credentials`, { token });
  for (const { password } of expectStatus(credentials, 200)) expect(password).toBeNull();
  const path = `/v1/control-plane/${ours.site}/transient-access`;
  for (const { password } of expectStatus(await server.api.get(path, { token }), 200))
    expect(password).toBeNull();
  expect(expectStatus(await server.api.get(`${path}/${ours.access}`, { token }), 200).password).toBeNull();
  expect(expectStatus(await server.api.get(`${path}/${ours.access}`), 200).password).not.toBeNull();
});

test("access from the whole internet needs a scope of its own", async ({ server, ours }) => {
  const { token } = await tokenWith(
    server,
    SCOPES.filter((scope) => scope !== "access:open-any"),
  );
  const path = `/v1/control-plane/${ours.site}/transient-access`;
  for (const allow_only_cidr of ["0.0.0.0/0", "::/0"]) {
    const answer = await server.api.post(path, { ...GRANT, allow_only_cidr }, { token });
    expectProblem(answer, 403, "insufficient-scope");
  }
});

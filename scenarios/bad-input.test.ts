/** What people send by mistake or on purpose is answered clearly, and harms nothing that works. */
import { describe, expect } from "vitest";
import {
  ADMIN,
  type Answer,
  addCustomer,
  adopt,
  createPolicy,
  expectInSync,
  expectProblem,
  expectStatus,
  policyOf,
  startManagedRouter,
  startRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const POLICIES = "/v1/control-plane/policies";

const test = scenario.extend("bystander", { scope: "file" }, async ({ server, closing }) => {
  const managed = await startManagedRouter(server, { identity: "bystander" });
  closing.use(managed.router);
  return managed;
});

/** What is in the database, to see that a refusal changed nothing. */
async function counted(server: TestServer): Promise<Record<string, unknown>[]> {
  return server.sql(
    `select (select count(*) from policies) as policies, (select count(*) from sites) as sites,
            (select count(*) from transient_access) as access, (select count(*) from api_tokens) as tokens,
            (select count(*) from credentials) as credentials, (select max(generation) from site_sync) as generation`,
  );
}

/** Send it, compare the answer, and see that nothing changed. */
async function expectRefused(
  server: TestServer,
  send: () => Promise<Answer>,
  status: number,
  code: string,
  errors?: Record<string, string | RegExp>,
): Promise<void> {
  const before = await counted(server);
  const problem = expectProblem(await send(), status, code);
  for (const [field, message] of Object.entries(errors ?? {})) {
    expect(Object.keys(problem.errors ?? {})).toContain(field);
    expect(problem.errors?.[field]?.join(" ")).toMatch(message);
  }
  expect(await counted(server)).toEqual(before);
}

const invalid = (server: TestServer, send: () => Promise<Answer>, errors: Record<string, string | RegExp>) =>
  expectRefused(server, send, 422, "validation-failed", errors);

describe("a policy", () => {
  const without = (name: string) => {
    const { [name]: _, ...rest } = policyOf();
    return rest;
  };
  const ssh = (change: Record<string, unknown>) => policyOf({ ssh: change });

  test.for<[string, unknown, Record<string, string | RegExp>]>([
    ["with a name of 21 characters", policyOf({ name: "x".repeat(21) }), { name: /20/ }],
    ["with an empty name", policyOf({ name: "" }), { name: /empty/ }],
    ["with a name of spaces", policyOf({ name: "   " }), { name: /empty/ }],
    ["with a number as name", policyOf({ name: 5 as never }), { name: /text/ }],
    ["without a name", without("name"), { name: /required/ }],
    ["without a service", without("telnet"), { telnet: /required/ }],
    ["with a service that is null", { ...policyOf(), telnet: null }, { telnet: /object/ }],
    ["with port 0", ssh({ port: 0 }), { "ssh.port": /1 to 65535/ }],
    ["with port 65536", ssh({ port: 65536 }), { "ssh.port": /1 to 65535/ }],
    ["with a negative port", ssh({ port: -1 }), { "ssh.port": /1 to 65535/ }],
    ["with half a port", ssh({ port: 22.5 }), { "ssh.port": /whole number/ }],
    ["with a port in quotes", ssh({ port: "22" }), { "ssh.port": /number/ }],
    ["with enabled in quotes", ssh({ enabled: "true" }), { "ssh.enabled": /true or false/ }],
    ["without enabled", ssh({ enabled: undefined }), { "ssh.enabled": /required/ }],
    [
      "with host bits in a network",
      ssh({ networks: ["10.0.0.5/8"] }),
      { "ssh.networks.0": /10\.0\.0\.0\/8/ },
    ],
    ["with a prefix of 33", ssh({ networks: ["10.0.0.0/33"] }), { "ssh.networks.0": /0 to 32/ }],
    ["with a short network", ssh({ networks: ["10/8"] }), { "ssh.networks.0": /network/ }],
    ["with a zone id", ssh({ networks: ["fe80::1%eth0/64"] }), { "ssh.networks.0": /network/ }],
    [
      "with a network that breaks out",
      ssh({ networks: ['10.0.0.0/8"; /user add'] }),
      { "ssh.networks.0": "" },
    ],
    ["with a second bad network", ssh({ networks: ["10.0.0.0/8", "x"] }), { "ssh.networks.1": /network/ }],
    ["with one network instead of a list", ssh({ networks: "10.0.0.0/8" }), { "ssh.networks": /list/ }],
    ["with a number as network", ssh({ networks: [10] }), { "ssh.networks.0": /text/ }],
    ["with 101 networks", ssh({ networks: Array(101).fill("10.0.0.0/8") }), { "ssh.networks": /100/ }],
    ["with an unknown field", policyOf({ colour: "red" }), { colour: /not a known field/ }],
    ["with an unknown field in a service", ssh({ banner: "hi" }), { "ssh.banner": /not a known field/ }],
    ["that sets what only we set", policyOf({ default: true, slug: "x" }), { default: "", slug: "" }],
    ["with one port for two enabled services", policyOf({ ssh: { port: 8291 } }), { "ssh.port": /winbox/ }],
    [
      "that closes the management path",
      policyOf({ api: { enabled: false } }),
      { "api.enabled": /Portreeve/ },
    ],
    [
      "that closes the other management path",
      policyOf({ management_transport: "api-ssl" }),
      { "api_ssl.enabled": /Portreeve/ },
    ],
    ["that is a list", [policyOf()], { body: /object/ }],
    ["that is a text", JSON.stringify("policy"), { body: /object/ }],
    ["that is null", "null", { body: /object/ }],
  ])("%s is refused with the field and what to change", async ([_what, body, errors], { server }) => {
    await invalid(server, () => server.api.post(POLICIES, body), errors);
  });

  test("may give a disabled service the port of an enabled one", async ({ server }) => {
    const policy = await createPolicy(server.api, { telnet: { enabled: false, port: 8291 } });
    expect(policy.telnet.port).toBe(8291);
  });

  test("takes no site of another customer, and none of those sent with it either", async ({
    server,
    bystander,
  }) => {
    const other = await addCustomer(server);
    const address = server.net.address(); // nobody is there
    const theirs = expectStatus(await other.post("/v1/sites", { name: "theirs", address, ...ADMIN }), 201);
    // Its adoption has begun by itself: from now on nothing but a request changes the counts.
    const begun = "select 1 from credentials where site_id = $1";
    await waitFor(async () => (await server.sql(begun, [theirs.id])).length > 0);
    const policy = await createPolicy(server.api);
    const before = (await server.api.get(`/v1/sites/${bystander.site.id}`)).body.policy_id;
    for (const method of ["POST", "PUT"]) {
      const body = { sites: [bystander.site.id, theirs.id] };
      await invalid(server, () => server.api.call(method, `${POLICIES}/${policy.id}/sites`, { body }), {
        "sites.1": theirs.id,
      });
    }
    expect((await server.api.get(`/v1/sites/${bystander.site.id}`)).body.policy_id).toBe(before);
    await invalid(server, () => server.api.put(`${POLICIES}/${policy.id}/sites`, { sites: ["x"] }), {
      "sites.0": /UUID/,
    });
  });
});

describe("transient access", () => {
  const good = { expire_after_minutes: 5, type: "ssh", full_access: false, allow_rfc1918: false };

  test.for<[string, Record<string, unknown>, Record<string, string | RegExp>]>([
    ["for 0 minutes", { expire_after_minutes: 0 }, { expire_after_minutes: /1 to 1440/ }],
    ["for more than a day", { expire_after_minutes: 1441 }, { expire_after_minutes: /1 to 1440/ }],
    ["for half a minute", { expire_after_minutes: 0.5 }, { expire_after_minutes: /whole/ }],
    ["by telnet", { type: "telnet" }, { type: /winbox|ssh/ }],
    ["without saying how full", { full_access: undefined }, { full_access: /required/ }],
    ["from a network as address", { allow_only_ip: "10.0.0.0/8" }, { allow_only_ip: /address/ }],
    ["from an odd spelling", { allow_only_ip: "0x7f.1" }, { allow_only_ip: /address/ }],
    ["from host bits", { allow_only_cidr: "10.0.0.5/8" }, { allow_only_cidr: /10\.0\.0\.0\/8/ }],
    ["with a login of one's own", { username: "me", password: "pw" }, { username: "", password: "" }],
    ["with an endless reason", { reason: "x".repeat(501) }, { reason: /500/ }],
  ])(
    "%s is refused with the field and what to change",
    async ([_what, change, errors], { server, bystander }) => {
      const path = `/v1/control-plane/${bystander.site.id}/transient-access`;
      await invalid(server, () => server.api.post(path, { ...good, ...change }), errors);
    },
  );
});

describe("a token", () => {
  test.for<[string, string | undefined]>([
    ["no header at all", undefined],
    ["no token", "Bearer"],
    ["another scheme", "Basic YTpi"],
    ["a short text", "Bearer x"],
    ["an unknown token of the right form", `Bearer prv_01234567_${"a".repeat(32)}_000000`],
    ["two tokens", `Bearer ${"a".repeat(40)} ${"b".repeat(40)}`],
    ["ten thousand characters", `Bearer ${"a".repeat(10_000)}`],
    ["a quote", `Bearer ' or 1=1 --${"a".repeat(32)}`],
  ])("that is %s is answered 401 and tells nothing", async ([_what, authorization], { server }) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await server.api.call("GET", "/v1/sites", { token: null, headers });
    const problem = expectProblem(answer, 401, "unauthenticated");
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    const other = await server.api.call("GET", "/v1/sites", { token: "z".repeat(50) });
    expect(problem).toEqual(other.body);
  });
});

describe("a request", () => {
  test.for<[string, string, Record<string, string>, number, string]>([
    ["that is no JSON", "{", {}, 400, "malformed-body"],
    ["of 10 MB", `{"name":"${"x".repeat(10 * 1024 * 1024)}"}`, {}, 413, "body-too-large"],
    ["nested a hundred thousand deep", "[".repeat(100_000), {}, 400, "malformed-body"],
    ["that reaches for prototypes", '{"__proto__":{"admin":true}}', {}, 400, "malformed-body"],
    [
      "that is a form",
      "name=x",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "unsupported-media-type",
    ],
    ["that is XML", "<name/>", { "content-type": "application/xml" }, 415, "unsupported-media-type"],
  ])("%s is refused", async ([_what, body, headers, status, code], { server }) => {
    await expectRefused(server, () => server.api.call("POST", POLICIES, { body, headers }), status, code);
  });

  test.for([
    "not-a-uuid",
    "%00",
    "..%2f..%2fhealthz",
    "*",
    "' or 1=1",
    "00000000-0000-0000-0000-000000000000",
  ])("for the site %s finds nothing", async (id, { server }) => {
    for (const path of [`/v1/sites/${id}`, `/v1/control-plane/${id}/credentials`]) {
      expect((await server.api.get(path)).status).toBe(404);
    }
  });

  test("by another method is answered with those that work here", async ({ server }) => {
    const answer = await server.api.call("PATCH", POLICIES, { body: {} });
    expectProblem(answer, 405, "method-not-allowed");
    expect(answer.headers.get("allow")).toBe("GET, HEAD, POST");
  });

  test.for([
    "limit=0",
    "limit=1000000000",
    "limit=x",
    "cursor=x",
    "page=2",
    "limit=1&limit=2",
    "status=gone",
  ])("for a list with ?%s is refused", async (query, { server }) => {
    await expectRefused(server, () => server.api.get(`/v1/sites?${query}`), 422, "validation-failed");
  });

  test("with an Idempotency-Key of another request is refused", async ({ server }) => {
    const headers = { "idempotency-key": `key-${Math.random()}` };
    const first = await server.api.post(POLICIES, policyOf({ name: "Once" }), { headers });
    expectStatus(first, 201);
    const again = await server.api.post(POLICIES, policyOf({ name: "Once" }), { headers });
    expect([again.status, again.text]).toEqual([201, first.text]);
    const other = () => server.api.post(POLICIES, policyOf({ name: "Twice" }), { headers });
    await expectRefused(server, other, 422, "idempotency-key-reused");
  });

  test("is never answered with what was sent", async ({ server }) => {
    const canary = "canary-In-A-Bad-Request";
    const sent = [
      server.api.post("/v1/sites", { name: "x", address: "192.0.2.1", username: "u", password: [canary] }),
      server.api.post("/v1/sites", {
        name: "x",
        address: "192.0.2.1",
        username: "u",
        password: canary.repeat(100),
      }),
      server.api.post("/v1/sites", `{"password":"${canary}",`),
      server.api.get("/v1/sites", { token: canary.repeat(3) }),
    ];
    for (const answer of await Promise.all(sent)) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).not.toContain(canary);
    }
  });
});

test("after all of it the bystander is in sync, and a new router is adopted at once", async ({
  server,
  bystander,
}) => {
  await expectInSync(server.api, bystander.site.id);
  await using router = await startRouter(server.net);
  expect((await adopt(server.api, router)).status).toBe("online");
});

/** Policies that would lock somebody out are refused where they are sent, and leave no trace of having been. */
import type { Policy } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { expect } from "vitest";
import {
  createPolicy,
  expectInSync,
  expectNothingPlanned,
  expectProblem,
  expectRolledOut,
  expectStatus,
  type ManagedRouter,
  PORTS,
  policyOf,
  startManagedRouter,
  type TestServer,
  useBindablePorts,
} from "./harness/index.ts";
import type { PolicyChange } from "./harness/policies.ts";
import { Random } from "./harness/random.ts";
import { scenario } from "./harness/scenario.ts";

const VERSIONS = ["6.49", "7.9", "7.18", "7.24"];
const POLICIES = "/v1/control-plane/policies";
const MENUS = ["/ip/service", "/user", "/user/group", "/ip/firewall/filter", "/ip/firewall/address-list"];

const test = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "3600" })
  .extend("managed", { scope: "file" }, async ({ server, closing }) => {
    const managed: ManagedRouter[] = [];
    for (const version of VERSIONS) {
      const one = await startManagedRouter(server, { version, identity: `router ${version}` });
      closing.use(one.router);
      managed.push(one);
    }
    return managed;
  })
  .extend("routers", { scope: "file" }, ({ managed }) => managed.map(({ router }) => router))
  .extend("sites", { scope: "file" }, ({ managed }) => managed.map(({ site }) => site))
  /** Of the policy all of them are under. */
  .extend("path", { scope: "file" }, async ({ server, sites }) => {
    const { id } = await createPolicy(server.api);
    const body = { sites: sites.map((site) => site.id) };
    expectStatus(await server.api.put(`${POLICIES}/${id}/sites`, body), 200);
    for (const site of sites) await expectInSync(server.api, site.id);
    await expectRolledOut(server.api);
    return `${POLICIES}/${id}`;
  });

/** Everything in the database and on the routers that a request could have changed. */
async function everything(server: TestServer, routers: Emulator[]): Promise<unknown> {
  const ofSites = ["sites", "site_connections", "site_policies", "site_certificates", "site_sync"];
  const others = ["policies", "credentials", "transient_access", "audit_events", "idempotency_keys"];
  const tables = [...ofSites, ...others];
  const rows: unknown[] = [];
  for (const table of tables) {
    rows.push(await server.sql(`select to_jsonb(t)::text as row from ${table} t order by 1`));
  }
  const shown = ({ control }: Emulator) =>
    MENUS.map((menu) =>
      control
        .rows(menu)
        .filter(({ dynamic, connection }) => dynamic !== "true" && connection === undefined)
        .map(({ bytes, packets, ...row }) => row),
    );
  return { rows, routers: routers.map(shown) };
}

interface Hostile {
  readonly what: string;
  readonly change: PolicyChange;
  /** The field the answer has to name. */
  readonly field: string;
  readonly code?: "caller-locked-out";
}

const OPEN = ["winbox", "ssh", "api"] as const;
const FOR_PEOPLE = ["winbox", "ssh", "http", "https", "telnet"] as const;

/** A network with neither us nor the caller in it. */
function elsewhere(random: Random): string {
  const ipv6 = random.chance(0.2);
  if (ipv6) return `2001:db8:${random.below(9999)}::/48`;
  const bits = random.pick([8, 16, 24, 32]);
  const octets = [
    random.pick([10, 172, 192, 198, 203]),
    random.below(256),
    random.below(256),
    random.below(256),
  ];
  return `${octets.map((octet, place) => (place * 8 < bits ? octet : 0)).join(".")}/${bits}`;
}

/** Everybody but one address, as prefixes: 32 networks that together leave out just us. */
function allBut(address: string): string[] {
  const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return Array.from({ length: 32 }, (_, bit) => {
    const size = 2 ** bit;
    const sibling =
      Math.floor(value / size) % 2 === 0 ? value - (value % size) + size : value - (value % size) - size;
    const octets = [24, 16, 8, 0].map((shift) => Math.floor(sibling / 2 ** shift) % 256);
    return `${octets.join(".")}/${32 - bit}`;
  });
}

const makers: readonly ((random: Random, us: string) => Hostile)[] = [
  () => ({ what: "closes the API", change: { api: { enabled: false } }, field: "api.enabled" }),
  (random, us) => {
    const odd = [
      `${us}/8`,
      `!${us}`,
      `${us}-${us}`,
      `${us}/33`,
      "127.1",
      "0x7f.0.0.1",
      `${us}%lo`,
      ` ${us} /32`,
    ];
    const networks = [elsewhere(random), random.pick(odd)];
    return { what: `spells us as ${networks[1]}`, change: { api: { networks } }, field: "api.networks.1" };
  },
  (random) => {
    const [first, second] = random.pick([
      ["winbox", "ssh"],
      ["winbox", "api"],
      ["ssh", "api"],
    ] as const);
    const change = { [second]: { port: PORTS[first] } };
    return { what: `moves ${second} onto ${first}'s port`, change, field: `${second}.port` };
  },
  (random) => {
    const name = random.pick(["http", "https", "telnet", "ftp"] as const);
    const change = { [name]: { enabled: true, port: PORTS.api } };
    return {
      what: `opens ${name} on the API's port`,
      change,
      field: "api.port",
    };
  },
  (random) => {
    const port = random.pick([0, -1, 65_536, 8728.5, "8728", null]);
    return { what: `moves the API to ${port}`, change: { api: { port: port as number } }, field: "api.port" };
  },
  () => ({
    what: "has us come in by a service that is closed",
    change: { management_transport: "api-ssl" },
    field: "api_ssl.enabled",
  }),
  (random) => {
    const lost = random.pick(["winbox", "ssh"] as const);
    const kept = lost === "winbox" ? "ssh" : "winbox";
    const change = {
      [lost]: { enabled: false },
      [kept]: { networks: [elsewhere(random)] },
      api: { networks: ["0.0.0.0/0"] },
    };
    return { what: "locks the caller out", change, field: `${kept}.networks`, code: "caller-locked-out" };
  },
  (random) => {
    const change = Object.fromEntries(FOR_PEOPLE.map((name) => [name, { enabled: false }]));
    const field = `${random.pick(["winbox", "ssh"])}.enabled`;
    return { what: "closes every service for people", change, field, code: "caller-locked-out" };
  },
  (random) => ({
    what: "leaves the caller to trusted networks without them",
    change: {
      winbox: { networks: null },
      ssh: { enabled: false },
      trusted_networks: [elsewhere(random)],
    },
    field: "winbox.networks",
    code: "caller-locked-out",
  }),
  () => ({
    what: "gives a reason for closing the API",
    change: { api: { enabled: false }, lock_out_reason: "because I can" },
    field: "api.enabled",
  }),
  (random) => {
    const name = random.pick(OPEN);
    return { what: `leaves out ${name}`, change: { [name]: null } as PolicyChange, field: name };
  },
];

test("a hundred policies that would lock us or the caller out are refused with the field, and change nothing", async ({
  server,
  routers,
  sites,
  path,
}) => {
  const random = new Random();
  const before = await everything(server, routers);
  for (let n = 0; n < 100; n += 1) {
    const make = makers[n % makers.length] as (typeof makers)[number];
    const { what, change, field, code = "validation-failed" } = make(random, server.managementAddress);
    const body = policyOf({ ...change });
    for (const [name, value] of Object.entries(change)) if (value === null) body[name] = null;
    const where = `policy ${n} of PORTREEVE_TEST_SEED=${random.seed}: ${what}, ${JSON.stringify(change)}`;
    const problem = expectProblem(await server.api.put(path, body), 422, code);
    expect(Object.keys(problem.errors ?? {}), where).toContain(field);
    expect(problem.errors?.[field]?.join(), where).not.toBe("");
    expect(await everything(server, routers), where).toEqual(before);
  }
  for (const { id } of sites) {
    expectStatus(await server.api.post(`/v1/sites/${id}/reconcile`), 202);
    await expectInSync(server.api, id);
  }
});

test("a list that leaves Portreeve out gets it first, and every router stays in reach", async ({
  server,
  sites,
  path,
}) => {
  const random = new Random();
  const us = `${server.managementAddress}/32`;
  for (const networks of [
    [elsewhere(random), elsewhere(random)],
    allBut(server.managementAddress),
    ["::/0"],
  ]) {
    const where = `PORTREEVE_TEST_SEED=${random.seed}: ${networks}`;
    const body = policyOf({ api: { networks } });
    const stored: Policy = expectStatus(await server.api.put(path, body), 200);
    expect(stored.api.networks, where).toEqual([us, ...networks]);
    await expectRolledOut(server.api);
    for (const { id } of sites) await expectInSync(server.api, id);
  }
  expectStatus(await server.api.put(path, policyOf()), 200);
  await expectRolledOut(server.api);
});

test("a policy that nobody is under may say what it likes, and can't be attached then", async ({
  server,
  routers,
  sites,
}) => {
  const closed = await createPolicy(server.api, {
    name: "Over TLS",
    management_transport: "api-ssl",
    api_ssl: { enabled: true },
    winbox: { enabled: false },
    ssh: { enabled: false },
  });
  const before = await everything(server, routers);
  const attach = (id: string, body = {}) =>
    server.api.put(`${POLICIES}/${id}/sites`, { sites: [sites[0]?.id], ...body });
  const lockedOut = expectProblem(await attach(closed.id), 422, "caller-locked-out");
  expect(lockedOut.errors).toEqual({
    "winbox.enabled": [expect.stringContaining("127.0.0.1")],
    "ssh.enabled": [expect.stringContaining("127.0.0.1")],
  });
  expect(await everything(server, routers)).toEqual(before);
});

test("falling back to a default policy that locks out is refused where the deletion is asked for", async ({
  server,
  routers,
  path,
}) => {
  const all: Policy[] = expectStatus(await server.api.get(POLICIES), 200);
  const fallback = `${POLICIES}/${all.find((one) => one.default)?.id}`;
  const change = { winbox: { networks: ["10.0.0.0/8"] }, ssh: { enabled: false } };
  expectStatus(await server.api.put(fallback, policyOf({ name: "Default Policy", ...change })), 200);
  await expectRolledOut(server.api);
  const before = await everything(server, routers);
  const problem = expectProblem(await server.api.delete(path), 422, "caller-locked-out");
  expect(problem.detail).toMatch(/move its sites to another policy first/);
  expect(await everything(server, routers)).toEqual(before);
  await useBindablePorts(server.api);
});

test("who says why may lock themselves out, and the audit keeps it", async ({ server, sites, path }) => {
  const reason = "WinBox is retired at the end of the month";
  const body = policyOf({ winbox: { enabled: false }, ssh: { networks: ["10.0.0.0/8"] } });
  expectProblem(await server.api.put(path, { ...body, lock_out_reason: "  " }), 422, "validation-failed");
  const changed = expectStatus(await server.api.put(path, { ...body, lock_out_reason: reason }), 200);
  expect(changed).not.toHaveProperty("lock_out_reason");
  for (const { id } of sites) await expectInSync(server.api, id);
  const { data } = expectStatus(await server.api.get("/v1/audit?action=policy.updated&limit=1"), 200);
  expect(data[0].detail).toMatchObject({ lock_out_reason: reason });
  // A caller without access has none to lose: back without a reason, and the reason is not kept where it was not needed.
  expectStatus(await server.api.put(path, { ...policyOf(), lock_out_reason: "unneeded" }), 200);
  for (const { id } of sites) {
    await expectInSync(server.api, id);
    await expectNothingPlanned(server.api, id);
  }
  const again = expectStatus(await server.api.get("/v1/audit?action=policy.updated&limit=1"), 200).data[0];
  expect(again.detail).not.toHaveProperty("lock_out_reason");
});

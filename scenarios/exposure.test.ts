/** What a site's ports answer to somebody who is not Portreeve, evaluated by the policy the site is under. */
import type { AuditEvent, ExposureCheck, Policy, Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { expect } from "vitest";
import { runCli } from "../packages/cli/src/testing.ts";
import {
  addCustomer,
  createPolicy,
  expectInSync,
  expectProblem,
  expectStatus,
  PORTS,
  policyOf,
  siteOf,
  startManagedRouter,
  startRouter,
  startTestServer,
  TELLS_NOTHING,
  type TestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import type { PolicyChange } from "./harness/policies.ts";
import { scenario } from "./harness/scenario.ts";

/** Where the kernel connects from on the loopback; the management address is another one. */
const OUTSIDE = "127.0.0.1";

// What is changed on a router by hand here stays so until somebody looks: no reconciling in between.
const test = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "3600" })
  .override("server", async ({ server }) => {
    await closeWinBox(server);
    return server;
  })
  /** Another customer. */
  .extend("them", { scope: "file" }, ({ server }) => addCustomer(server));

// So many checks a minute are nobody's.
test.beforeEach(async ({ server }) => void (await server.sql("delete from exposure_requests")));

/** Whether WinBox keeps a connection is seen after a while only. */
async function closeWinBox(server: TestServer): Promise<void> {
  const [standard] = expectStatus(await server.api.get("/v1/control-plane/policies"), 200);
  const body = policyOf({ name: "Default Policy", winbox: { enabled: false } });
  expectStatus(await server.api.put(`/v1/control-plane/policies/${standard.id}`, body), 200);
}

/** Put a site under a policy of its own, and wait until its router has it. */
async function putUnder(server: TestServer, change: PolicyChange, site: Site): Promise<Policy> {
  const policy = await createPolicy(server.api, change);
  const path = `/v1/control-plane/policies/${policy.id}/sites`;
  const body = { sites: [site.id], lock_out_reason: "a policy that is not for us" };
  expectStatus(await server.api.post(path, body), 200);
  await expectInSync(server.api, site.id);
  return policy;
}

const check = async (server: TestServer, { id }: { id: string }): Promise<ExposureCheck> =>
  expectStatus(await server.api.post(`/v1/sites/${id}/exposure`), 200);

function portOf({ ports }: ExposureCheck, port: number): ExposureCheck["ports"][number] | undefined {
  return ports.find((one) => one.port === port);
}

const against = ({ ports }: ExposureCheck): number[] =>
  ports.filter(({ finding }) => finding === "open_against_policy").map(({ port }) => port);

const events = async (server: TestServer, site: Site, action: string): Promise<AuditEvent[]> =>
  expectStatus(await server.api.get(`/v1/audit?site_id=${site.id}&action=${action}`), 200).data;

/** A way around our own packet filter, as an admin in a hurry might make it. */
async function switchOffOurFilter(router: Emulator): Promise<void> {
  const jump = router.control
    .rows("/ip/firewall/filter")
    .find(({ comment }) => comment === "portreeve: management - jump");
  await router.control.setRow("/ip/firewall/filter", jump?.[".id"] ?? "", { disabled: "yes" });
}

test("a site that is as its policy says shows what the policy opens, and nothing against it", async ({
  server,
}) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);

  const policy = await putUnder(server, { name: "with WinBox" }, site);

  const seen = await check(server, site);

  expect(seen).toMatchObject({
    site_id: site.id,
    address: site.address,
    from_address: OUTSIDE,
    policy: { id: policy.id, name: "with WinBox" },
    answered: true,
    open_against_policy: 0,
  });
  const states = Object.fromEntries(seen.ports.map(({ port, state, software }) => [port, [state, software]]));
  expect(states).toMatchObject({
    [PORTS.winbox]: ["open", "unknown"],
    [PORTS.ssh]: ["open", "routeros"],
    [PORTS.api]: ["open", "routeros"],
    [PORTS.telnet]: ["closed", null],
    [PORTS.http]: ["closed", null],
    22: ["closed", null],
    443: ["closed", null],
  });
  expect(portOf(seen, PORTS.ssh)).toMatchObject({
    service: "ssh",
    finding: "open_as_policy_says",
    reason: `policy with WinBox opens ssh on ${PORTS.ssh} to 127.0.0.0/8`,
    answer: "SSH-2.0-ROSSSH",
  });
  expect(expectStatus(await server.api.get(`/v1/sites/${site.id}/exposure`), 200)).toEqual({
    data: [seen],
    next_cursor: null,
  });
  expect(await events(server, site, "site.exposure_check_requested")).toHaveLength(1);
  expect(await events(server, site, "site.exposed")).toEqual([]);
  expect(router.control.sessions().every(({ username }) => username === "portreeve-api")).toBe(true);
  await router.close();
});

test("a service that was opened by hand is found, and told once until it is closed", async ({ server }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  const telnet = (disabled: "yes" | "no") => router.control.setRow("/ip/service", "telnet", { disabled });

  await telnet("no");
  const first = await check(server, site);
  expect(against(first)).toEqual([PORTS.telnet]);
  expect(portOf(first, PORTS.telnet)?.reason).toBe("policy Default Policy has telnet disabled");
  await check(server, site);
  const told = await events(server, site, "site.exposed");
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({
    actor: "system:exposure",
    detail: { from_address: OUTSIDE, ports: [{ port: PORTS.telnet, service: "telnet" }] },
  });

  await telnet("yes");
  expect(against(await check(server, site))).toEqual([]);
  await telnet("no");
  await check(server, site);
  expect(await events(server, site, "site.exposed")).toHaveLength(2);
  await router.close();
});

test.for(["6.49", "7.9", "7.18", "7.24"])(
  "RouterOS %s: a service that the policy opens to others only is closed, and found once it is not",
  async (version, { server }) => {
    const { router, site } = await startManagedRouter(server, { ...TELLS_NOTHING, version });
    await putUnder(
      server,
      { name: "inside", winbox: { enabled: false }, ssh: { networks: ["10.0.0.0/8"] } },
      site,
    );
    await switchOffOurFilter(router);
    const kept = await check(server, site);
    expect(portOf(kept, PORTS.ssh)).toMatchObject({ state: "closes_at_once", software: null, finding: null });
    expect(against(kept)).toEqual([]);

    const list = version === "7.24" ? "available-from" : "address";
    await router.control.setRow("/ip/service", "ssh", { [list]: "" });
    const opened = await check(server, site);
    expect(against(opened)).toEqual([PORTS.ssh]);
    expect(portOf(opened, PORTS.ssh)).toMatchObject({
      state: "open",
      software: "routeros",
      reason: `policy inside opens ssh on ${PORTS.ssh}, but not to ${OUTSIDE}`,
    });
    await router.close();
  },
);

test("services whose connections are counted by brute-force protection are left alone", async ({
  server,
}) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  await putUnder(
    server,
    {
      name: "open",
      ssh: { networks: ["0.0.0.0/0"] },
      trusted_networks: ["127.0.0.0/8"],
      brute_force_protection: true,
    },
    site,
  );

  const seen = await check(server, site);

  expect(portOf(seen, PORTS.ssh)).toMatchObject({ state: "not_checked", finding: null });
  expect(portOf(seen, PORTS.winbox)).toMatchObject({ state: "open" });
  await router.close();
});

test("a router that is off shows closed ports", async ({ server }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  await router.control.powerOff();

  const seen = await check(server, site);

  expect(new Set(seen.ports.map(({ state }) => state))).toEqual(new Set(["closed"]));
  expect(seen).toMatchObject({ answered: true, open_against_policy: 0 });
  await router.close();
});

test("an address that has not proven to be the router's is not checked", async ({ server }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  const otherRouter = await startRouter(server.net);
  const refused = async ({ id }: Site) =>
    expectProblem(await server.api.post(`/v1/sites/${id}/exposure`), 409, "site-not-ready").detail;

  const pending: Site = expectStatus(
    await server.api.post("/v1/sites", siteOf(otherRouter, { password: "wrong" })),
    201,
  );
  expect(await refused(pending)).toBe("The router has not been adopted yet.");
  expectStatus(await server.api.delete(`/v1/sites/${pending.id}?force=true`), 202);
  expectStatus(await server.api.patch(`/v1/sites/${site.id}`, { address: otherRouter.address }), 200);
  expect(await refused(site)).toBe("Portreeve has not logged in to the router at this address yet.");

  for (const service of ["ssh", "winbox", "telnet"] as const) {
    expect(otherRouter.control.peers(service)).toEqual([]);
  }
  await otherRouter.close();
  await router.close();
});

test("an address that Portreeve may not connect to is not checked, whatever the database says", async ({
  server,
}) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  for (const address of ["169.254.169.254", "0.0.0.0", "::ffff:169.254.169.254", "127.1"]) {
    await server.sql("update site_connections set address = $2, reached_address = $2 where site_id = $1", [
      site.id,
      address,
    ]);
    const answer = await server.api.post(`/v1/sites/${site.id}/exposure`);
    expect(expectProblem(answer, 502, "router-unavailable").detail).toMatch(/^address must /);
  }
  await router.close();
});

test("a site is checked by one at a time", async ({ server }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  await putUnder(server, { name: "with WinBox" }, site); // so that a check takes long enough to meet another

  const answers = await Promise.all([1, 2, 3].map(() => server.api.post(`/v1/sites/${site.id}/exposure`)));

  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  const late = answers.find(({ status }) => status === 409);
  expectProblem(late as (typeof answers)[number], 409, "exposure-check-running");
  await check(server, site);
  await router.close();
});

test("a customer may ask for so many checks a minute, and another is not affected", async ({
  server,
  them,
}) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  await server.sql(
    `insert into exposure_requests (customer_id) select customer_id from sites, generate_series(1, 30)
      where id = $1`,
    [site.id],
  );

  const refused = await server.api.post(`/v1/sites/${site.id}/exposure`);
  expectProblem(refused, 429, "rate-limited");
  expect(refused.headers.get("retry-after")).toBe("60");
  const theirs = await startManagedRouter({ api: them, net: server.net });
  expectStatus(await them.post(`/v1/sites/${theirs.site.id}/exposure`), 200);

  await server.sql("update exposure_requests set requested_at = now() - interval '1 minute'");
  await check(server, site);
  await theirs.router.close();
  await router.close();
});

test("a check that was kept is answered page by page, newest first", async ({ server }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  await router.control.powerOff();
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.unshift((await check(server, site)).id);

  const read: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "?limit=1" : `?limit=1&cursor=${cursor}`;
    const page = expectStatus(await server.api.get(`/v1/sites/${site.id}/exposure${query}`), 200);
    read.push(...page.data.map(({ id }: ExposureCheck) => id));
    cursor = page.next_cursor;
  }

  expect(read).toEqual(ids);
  await router.close();
});

test("portreeve probe tells what is open against the policy, by exit code too", async ({ server }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  const probe = (host: string) =>
    runCli(["probe", host], { PORTREEVE_URL: server.api.url, PORTREEVE_TOKEN: server.api.token });

  const clean = await probe(site.address);
  expect(clean).toMatchObject({ code: 0, stderr: "" });
  expect(clean.stdout).toMatch(/\nNothing is open against the policy\.\n$/);

  await router.control.setRow("/ip/service", "telnet", { disabled: "no" });
  const exposed = await probe(site.name);
  expect(exposed).toMatchObject({ code: 2, stderr: "" });
  expect(exposed.stdout).toMatch(
    new RegExp(
      `^${PORTS.telnet} +telnet +open +unknown +OPEN AGAINST POLICY +policy Default Policy has`,
      "m",
    ),
  );
  expect(exposed.stdout).toMatch(/\n1 port is open against the policy\.\n$/);
  await router.close();
});

test("portreeve probe refuses every host that is none of the customer's sites", async ({ server, them }) => {
  const { router, site } = await startManagedRouter(server, TELLS_NOTHING);
  const before = router.control.peers("ssh").length;

  for (const host of ["192.0.2.1", "127.0.0.1", site.address, site.id, site.name]) {
    const { code, stdout, stderr } = await runCli(["probe", host], {
      PORTREEVE_URL: server.api.url,
      PORTREEVE_TOKEN: them.token,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/is not the address, name or id of one of your sites; only those can be probed/);
  }
  expect(router.control.peers("ssh")).toHaveLength(before);
  await router.close();
});

test("sites are looked at by themselves, once they are due", async () => {
  await using own = await startTestServer({
    env: { PORTREEVE_EXPOSURE_HOURS: "24", PORTREEVE_RECONCILE_SECONDS: "3600" },
  });
  await useBindablePorts(own.api);
  const { router, site } = await startManagedRouter(own, TELLS_NOTHING);
  await router.control.setRow("/ip/service", "telnet", { disabled: "no" });
  await own.sql(
    `insert into exposure_schedule (site_id, customer_id, next_check_at) select id, customer_id, now() from sites
     on conflict (site_id) do update set next_check_at = now()`,
  );

  await own.restart(); // its first look at what is due

  const checks = () => own.api.get(`/v1/sites/${site.id}/exposure`);
  const [seen] = await waitFor(async () => {
    const { data } = expectStatus(await checks(), 200);
    return data.length > 0 && (data as ExposureCheck[]);
  });
  expect(seen?.from_address).toBe(OUTSIDE);
  const told = expectStatus(await own.api.get("/v1/audit?action=site.exposed"), 200).data;
  expect(told).toHaveLength((seen?.open_against_policy ?? 0) > 0 ? 1 : 0);
  await waitFor(async () => {
    const [row] = await own.sql(
      "select running_until, next_check_at > now() as later from exposure_schedule",
    );
    return row?.running_until === null && row.later === true;
  });
  await router.close();
});

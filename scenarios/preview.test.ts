/** A policy change is seen before it is made, on live routers, and seeing it changes nothing. */

import { once } from "node:events";
import { connect } from "node:net";
import type { AccessRow, Plan, PolicyPreview, Scope, SitePreview } from "@portreeve/api-schema";
import { expect } from "vitest";
import {
  createPolicy,
  expectInSync,
  expectProblem,
  expectRolledOut,
  expectStatus,
  type ManagedRouter,
  PORTS,
  policyOf,
  startManagedRouter,
  TELLS_NOTHING,
  type TestServer,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "3600" })
  .extend("edge", { scope: "file" }, async ({ server, closing }) => {
    const managed = await startManagedRouter(server, { identity: "edge", version: "7.18" });
    closing.use(managed.router);
    return managed;
  })
  .extend("policy", { scope: "file" }, async ({ server, edge }) => {
    const policy = await createPolicy(server.api);
    const sites = [edge.site.id];
    expectStatus(await server.api.put(`/v1/control-plane/policies/${policy.id}/sites`, { sites }), 200);
    await expectInSync(server.api, edge.site.id);
    await expectRolledOut(server.api);
    return policy;
  })
  .extend("path", { scope: "file" }, ({ policy }) => `/v1/control-plane/policies/${policy.id}`);

async function preview(
  server: TestServer,
  path: string,
  body: Record<string, unknown> = {},
): Promise<readonly SitePreview[]> {
  const answer: PolicyPreview = expectStatus(await server.api.post(`${path}/preview`, body), 200);
  return answer.data;
}

/** Everything that could have been written: the database, and the router but for who is logged in. */
async function everything(server: TestServer, edge: ManagedRouter): Promise<unknown> {
  const tables = await server.sql(
    `select (select jsonb_agg(to_jsonb(p)) from policies p) as policies,
            (select jsonb_agg(to_jsonb(s) - 'last_seen_at') from sites s) as sites,
            (select jsonb_agg(to_jsonb(c)) from site_connections c) as connections,
            (select jsonb_agg(to_jsonb(c)) from site_certificates c) as certificates,
            (select jsonb_agg(to_jsonb(p)) from site_policies p) as assignments,
            (select jsonb_agg(to_jsonb(s) - 'sync_checked_at') from site_sync s) as sync,
            (select count(*) from audit_events) as events`,
  );
  const menus = ["/ip/service", "/ip/firewall/filter", "/ip/firewall/address-list", "/user", "/user/group"];
  // Counters go up by being connected to; from 7.19 open connections are rows of /ip/service.
  const rows = menus.map((menu) =>
    edge.router.control
      .rows(menu)
      .filter(({ dynamic, connection }) => dynamic !== "true" && connection === undefined)
      .map(({ bytes, packets, "last-logged-in": _, ...row }) => row),
  );
  return { tables, rows };
}

const rowOf = (rows: readonly AccessRow[] | undefined, network: string) =>
  rows?.find(({ source }) => source.network === network);

test("a draft shows its steps, the chain it leads to and who gets in before and after", async ({
  server,
  edge,
  path,
}) => {
  const before = await everything(server, edge);
  const draft = policyOf({
    winbox: { enabled: false },
    ssh: { networks: ["10.20.0.0/16"] },
    http: { enabled: true, networks: ["0.0.0.0/0"] },
  });
  const [seen, ...others] = await preview(server, path, { policy: draft });
  expect(others).toEqual([]);
  expect(seen).toMatchObject({
    site_id: edge.site.id,
    name: edge.site.name,
    reached: true,
    reason: null,
  });
  expect(seen?.steps.map(({ text }) => text)).toContainEqual(
    expect.stringMatching(/^\/ip service set \[find name="winbox"\] disabled=yes$/),
  );
  const office = rowOf(seen?.access, "10.20.0.0/16");
  expect(office?.services.ssh.before.access).toBe("no");
  expect(office?.services.ssh.after.access).toBe("yes");
  const caller = rowOf(seen?.access, "127.0.0.1");
  expect(caller?.source.kind).toBe("caller");
  expect(caller?.services.winbox.before.access).toBe("yes");
  expect(caller?.services.winbox.after).toMatchObject({
    access: "no",
    because: ["service winbox is disabled"],
  });
  expect(rowOf(seen?.access, server.managementAddress)?.services.api).toMatchObject({
    before: { access: "yes" },
    after: { access: "yes" },
  });
  expect(rowOf(seen?.access, "0.0.0.0/0")?.services.http.after.access).toBe("yes");
  expect(seen?.warnings).toContain("http is open to the whole internet");
  const ours = seen?.input_chain.ipv4?.filter((rule) => rule.ours).map(({ text }) => text) ?? [];
  expect(ours).toContainEqual(expect.stringMatching(/^add chain=input action=jump jump-target=portreeve/));
  expect(ours).toContainEqual(expect.stringContaining(`dst-port=${PORTS.http}`));
  expect(await everything(server, edge)).toEqual(before);
});

test("without a draft the stored policy is compared: nothing to do, and the same table twice", async ({
  server,
  edge,
  path,
}) => {
  const [seen] = await preview(server, path);
  expect(seen?.steps).toEqual([]);
  for (const { services } of seen?.access ?? [])
    for (const { before, after } of Object.values(services)) expect(before).toEqual(after);
  const plan: Plan = expectStatus(await server.api.get(`/v1/sites/${edge.site.id}/plan`), 200);
  const { site_id, name, reached, reason, ...effect } = seen as SitePreview;
  expect(plan).toEqual(effect);
});

test("what was predicted is what the router then does", async ({ server }) => {
  await using other = (await startManagedRouter(server)).router;
  const site = expectStatus(await server.api.get("/v1/sites"), 200).data.find(
    ({ address }: { address: string }) => address === other.address,
  );
  const own = await createPolicy(server.api, { name: "Prediction" });
  const ownPath = `/v1/control-plane/policies/${own.id}`;
  expectStatus(await server.api.put(`${ownPath}/sites`, { sites: [site.id] }), 200);
  await expectInSync(server.api, site.id);
  const admitted = server.net.address();
  const draft = policyOf({ name: "Prediction", winbox: { networks: [`${admitted}/32`] } });
  const { data }: PolicyPreview = expectStatus(
    await server.api.post(`${ownPath}/preview`, { policy: draft }),
    200,
  );
  const predicted = data[0];
  expectStatus(await server.api.put(ownPath, draft), 200);
  await expectInSync(server.api, site.id);
  const plan: Plan = expectStatus(await server.api.get(`/v1/sites/${site.id}/plan`), 200);
  expect(plan.steps).toEqual([]);
  expect(plan.input_chain).toEqual(predicted?.input_chain);
  const now = rowOf(plan.access, `${admitted}/32`)?.services.winbox;
  expect(now?.before).toEqual(rowOf(predicted?.access, `${admitted}/32`)?.services.winbox.after);
  // And a connection meets what the table says.
  for (const [source, admits] of [
    [admitted, true],
    [server.net.address(), false],
  ] as const) {
    const socket = connect({ host: other.address, port: PORTS.winbox, localAddress: source });
    await once(socket, "connect");
    await expect.poll(() => other.control.peers("winbox").at(-1)?.address).toBe(source);
    expect(other.control.peers("winbox").at(-1)?.admitted).toBe(admits);
    socket.destroy();
  }
});

test("rules of the router's own are shown as they are, and what they shadow is said", async ({
  server,
  edge,
  path,
}) => {
  const filter = "/ip/firewall/filter";
  const { control } = edge.router;
  const [first] = control.rows(filter);
  const comment = "old \u001B[31mdrop";
  const id = await control.addRow(filter, {
    chain: "input",
    action: "drop",
    "src-address": "10.20.0.0/16",
    comment,
    ...(first?.[".id"] ? { "place-before": first[".id"] } : {}),
  });
  try {
    const [seen] = await preview(server, path, { policy: policyOf({ ssh: { networks: ["10.20.0.0/16"] } }) });
    const shown = seen?.input_chain.ipv4?.find(({ text }) => text.includes("old"));
    expect(shown).toMatchObject({ ours: false, dynamic: false });
    expect(shown?.text).toContain('comment="old \\1B[31mdrop"');
    expect(JSON.stringify(seen)).not.toContain("\\u001b");
    expect(rowOf(seen?.access, "10.20.0.0/16")?.services.ssh.after.access).toBe("no");
    expect(seen?.warnings).toContainEqual(expect.stringMatching(/refuses ssh to 10\.20\.0\.0\/16/));
  } finally {
    await control.removeRow(filter, id);
  }
});

test("what a policy only reports is shown among the steps, and taken for what stays", async ({ server }) => {
  const own = await createPolicy(server.api, { name: "Reported", drift: "report" });
  const reported = await startManagedRouter(server, TELLS_NOTHING);
  await using router = reported.router;
  const { id } = reported.site;
  expectStatus(await server.api.put(`/v1/control-plane/policies/${own.id}/sites`, { sites: [id] }), 200);
  await expectInSync(server.api, id);
  await router.control.setRow("/ip/service", "winbox", { disabled: "yes" });
  const plan: Plan = expectStatus(await server.api.get(`/v1/sites/${id}/plan`), 200);
  expect(plan.steps.map(({ text }) => text)).toEqual(['/ip service set [find name="winbox"] disabled=no']);
  const winbox = rowOf(plan.access, "127.0.0.1")?.services.winbox;
  expect([winbox?.before.access, winbox?.after.access]).toEqual(["no", "no"]);
});

test("a router that is away is reported among the others", async ({ server, edge, path }) => {
  const away = await startManagedRouter(server, { identity: "away" });
  await away.router.close();
  const asked = [away.site.id, edge.site.id.toUpperCase()];
  const seen = await preview(server, path, { sites: asked });
  expect(seen.map(({ site_id, reached }) => [site_id, reached]).toSorted()).toEqual(
    [
      [away.site.id, false],
      [edge.site.id, true],
    ].toSorted(),
  );
  const lost = seen.find(({ reached }) => !reached);
  expect(lost).toMatchObject({
    steps: [],
    access: [],
    warnings: [],
    reason: expect.stringMatching(/connect/i),
  });
});

test("a draft that can't be, a site that is not there and too many sites are named", async ({
  server,
  edge,
  path,
}) => {
  const refused = async (body: Record<string, unknown>, status = 422) =>
    expectProblem(await server.api.post(`${path}/preview`, body), status, "validation-failed").errors ?? {};
  expect(Object.keys(await refused({ policy: policyOf({ ssh: { port: 0 } }) }))).toEqual(["policy.ssh.port"]);
  expect(Object.keys(await refused({ policy: policyOf({ api: { enabled: false } }) }))).toEqual([
    "policy.api.enabled",
  ]);
  const nobody = "00000000-0000-4000-8000-000000000000";
  expect(Object.keys(await refused({ sites: [edge.site.id, nobody] }))).toEqual(["sites.1"]);
  expect(await refused({ sites: [] })).toEqual({ sites: [expect.stringMatching(/leave it out/)] });
  const many = Array.from({ length: 51 }, () => edge.site.id);
  expect(await refused({ sites: many })).toEqual({ sites: [expect.stringMatching(/at most 50/)] });
});

test("a policy of more sites than one preview reads asks to name some", async ({ server }) => {
  const crowded = await createPolicy(server.api, { name: "Crowded" });
  await server.sql(
    `with site as (
       insert into sites (customer_id, name)
       select customer_id, 'site ' || n from policies, generate_series(1, 51) n where id = $1
       returning id, customer_id, name
     ), connection as (
       insert into site_connections (site_id, customer_id, address, api_port) select id, customer_id, name, 8728 from site
     ), certificates as (
       insert into site_certificates (site_id, customer_id) select id, customer_id from site
     ), sync as (
       insert into site_sync (site_id, customer_id) select id, customer_id from site
     )
     insert into site_policies (site_id, customer_id, policy_id, policy_revision_id)
     select site.id, site.customer_id, policies.id, policies.revision_id from site, policies where policies.id = $1`,
    [crowded.id],
  );
  const answer = await server.api.post(`/v1/control-plane/policies/${crowded.id}/preview`, {});
  expect(expectProblem(answer, 422, "validation-failed").errors?.sites).toEqual([
    expect.stringMatching(/at most 50 sites: 51 are attached/),
  ]);
  await server.sql("delete from sites where id in (select site_id from site_policies where policy_id = $1)", [
    crowded.id,
  ]);
});

test("it takes both scopes, since it shows both", async ({ server, path }) => {
  const ask = async (scopes: readonly Scope[]) => {
    const { token } = expectStatus(await server.api.post("/v1/tokens", { name: "t", scopes }), 201);
    return server.api.as(token).post(`${path}/preview`, {});
  };
  for (const [given, lacking] of [
    ["policies:read", "sites:read"],
    ["sites:read", "policies:read"],
  ] as const) {
    const problem = expectProblem(await ask([given]), 403, "insufficient-scope");
    expect(problem.detail).toContain(lacking);
  }
  expectStatus(await ask(["policies:read", "sites:read"]), 200);
});

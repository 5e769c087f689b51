/** Rollouts as an operator meets them: stopped, resumed, taken back, overtaken, interrupted. */
import type { Policy, RolloutSite, Site } from "@portreeve/api-schema";
import { expect, onTestFinished } from "vitest";
import { accessInput } from "./harness/access.ts";
import { ManagedFleet, type Member } from "./harness/fleet.ts";
import {
  createPolicy,
  expectChecked,
  expectProblem,
  expectRollout,
  expectStatus,
  expectSync,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";
import { ServerProcess } from "./harness/server-process.ts";

const ROUTERS = 30;
/** One, then up to a quarter; a twentieth of thirty is no more than the one. */
const WAVES = [1, 6, 23];
const REFUSAL = "failure: made for this test";
const SET = "/ip/service/set";

const test = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "2" })
  .extend("fleet", { scope: "file" }, async ({ server, closing }) =>
    closing.use(await ManagedFleet.start(server, ROUTERS)),
  );

// Adopting all of them is not the first test's time.
test.beforeAll(({ fleet: _adopted }) => undefined, 120_000);

/** A port that no change before had. */
let lastPort = 2200;
const nextPort = () => ++lastPort;

/** PUT another SSH port; the rollout that this starts. */
async function changeSsh(fleet: ManagedFleet, port = nextPort()): Promise<string> {
  return (await fleet.change({ ssh: { port } })).rollout?.id ?? "";
}

const act = async (server: TestServer, id: string, command: "pause" | "resume" | "rollback") =>
  expectStatus(await server.api.post(`/v1/rollouts/${id}/${command}`), 200);

function sshPort({ router }: Member): number {
  return Number(router.control.rows("/ip/service").find(({ name }) => name === "ssh")?.port);
}

/** Let the routers refuse a command until the test is over. */
function refuse(members: readonly Member[], command = SET): void {
  for (const { router } of members) router.control.inject({ kind: "trap", command, message: REFUSAL });
  onTestFinished(() => {
    for (const { router } of members) router.control.clear();
  });
}

/** Let the routers take their time, so that a rollout is still under way when somebody does something about it. */
function slow(members: readonly Member[], ms = 300): void {
  for (const { router } of members) router.control.inject({ kind: "delay", command: SET, ms });
  onTestFinished(() => {
    for (const { router } of members) router.control.clear();
  });
}

const first = (fleet: ManagedFleet) => fleet.members[0] as Member;

/** For each wave but the first, by the audit's numbers: when it began, and when the last site before it was in order. */
function wavesOf(server: TestServer, id: string): Promise<Record<string, unknown>[]> {
  return server.sql(
    `select began.id as began, max(configured.id) as proven
       from audit_events began
            join rollout_sites earlier
              on earlier.rollout_id = began.subject_id and earlier.wave < (began.detail->>'wave')::integer
            join audit_events configured
              on configured.site_id = earlier.site_id and configured.action = 'site.configured'
     where began.subject_id = $1 and began.action = 'rollout.wave_started'
     group by began.id`,
    [id],
  );
}

test("a change reaches one router, then a quarter of them, then the rest, each wave when the one before is proven", async ({
  server,
  fleet,
}) => {
  const port = nextPort();
  const id = await changeSsh(fleet, port);
  const done = await expectRollout(server.api, id, "done");
  expect(done).toMatchObject({ state: "done", reason: null, sites: { verified: ROUTERS } });
  expect(done.waves).toEqual(
    WAVES.map((size, index) => ({ number: index + 1, size, sites: { verified: size } })),
  );
  for (const { began, proven } of await wavesOf(server, id))
    expect(Number(began)).toBeGreaterThan(Number(proven));
  expect(fleet.members.map(sshPort)).toEqual(fleet.members.map(() => port));
  const policy: Policy = expectStatus(await server.api.get(fleet.policyPath), 200);
  expect(policy.rollout).toBeNull();
});

test("a canary that refuses stops it, and the one who resumes answers for that router alone", async ({
  server,
  fleet,
}) => {
  refuse([first(fleet)]);
  const id = await changeSsh(fleet);
  const stopped = await expectRollout(server.api, id, "stopped");
  expect(stopped).toMatchObject({
    reason: "1 of 1 site of wave 1 failed",
    sites: { failed: 1, waiting: ROUTERS - 1 },
    failed: [{ site_id: first(fleet).siteId, wave: 1, reason: expect.stringContaining(REFUSAL) }],
  });
  await act(server, id, "resume");
  const done = await expectRollout(server.api, id, "done");
  expect(done.sites).toEqual({ failed: 1, verified: ROUTERS - 1 });
  first(fleet).router.control.clear();
  await expectSync(server.api, first(fleet).siteId, "in_sync");
});

test("paused it goes no further, sites that have not been reached are let go, and resumed it continues", async ({
  server,
  fleet,
}) => {
  const before = fleet.members.map(sshPort);
  slow(fleet.members);
  const port = nextPort();
  const id = await changeSsh(fleet, port);
  const paused = await act(server, id, "pause");
  expect(paused).toMatchObject({ state: "paused" });
  expectProblem(await server.api.post(`/v1/rollouts/${id}/pause`), 409, "rollout-state");
  // The site that would be changed next has been checked, and was left as it was.
  await Promise.all(fleet.members.map(({ siteId }) => expectChecked(server.api, siteId)));
  const changed = fleet.members.filter((member, index) => sshPort(member) !== before[index]);
  expect(changed.length).toBeLessThanOrEqual(1);
  await act(server, id, "resume");
  await expectRollout(server.api, id, "done", { within: 30_000 });
  expect(fleet.members.map(sshPort)).toEqual(fleet.members.map(() => port));
});

test.for(["repair", "report"])(
  "taken back, every router is as it was and the policy says what it said (drift: %s)",
  async (drift, { server, fleet }) => {
    const finished = (await fleet.change({ drift, ssh: { port: nextPort() } })).rollout?.id ?? "";
    await expectRollout(server.api, finished, "done");
    const before = fleet.configurations();
    const policy: Policy = expectStatus(await server.api.get(fleet.policyPath), 200);
    // Half of the change is made when they refuse.
    const refusing = fleet.members.slice(2, 4);
    refuse(refusing, "/ip/firewall/address-list/remove");
    const change = { drift, ssh: { port: nextPort(), networks: ["192.0.2.0/24"] } };
    const id = (await fleet.change(change)).rollout?.id ?? "";
    await expectRollout(server.api, id, "stopped");
    expect(fleet.changedSince(before)).toEqual(expect.arrayContaining([2]));
    for (const { router } of refusing) router.control.clear();
    await act(server, id, "rollback");
    const back = await expectRollout(server.api, id, "rolled_back");
    expect(back.sites.waiting).toBe(ROUTERS - 7);
    expect(fleet.changedSince(before)).toEqual([]);
    const after: Policy = expectStatus(await server.api.get(fleet.policyPath), 200);
    expect(after.ssh).toEqual(policy.ssh);
    expectProblem(await server.api.post(`/v1/rollouts/${id}/resume`), 409, "rollout-state");
  },
);

test("a newer change overtakes one that is under way, and is what every router has in the end", async ({
  server,
  fleet,
}) => {
  slow(fleet.members);
  const overtaken = await changeSsh(fleet);
  const port = nextPort();
  const id = await changeSsh(fleet, port);
  expect(id).not.toBe(overtaken);
  await expectRollout(server.api, overtaken, "superseded");
  await expectRollout(server.api, id, "done", { within: 30_000 });
  expect(fleet.members.map(sshPort)).toEqual(fleet.members.map(() => port));
});

test("the same content once more changes nothing and starts nothing", async ({ fleet }) => {
  const id = await changeSsh(fleet, lastPort);
  expect(id).toBe("");
});

test("attaching many sites and deleting their policy go in waves too; taken back, sites are under their former policy", async ({
  server,
  fleet,
}) => {
  const port = nextPort();
  const policy = await createPolicy(server.api, { name: "Other", ssh: { port } });
  const sites = fleet.members.map(({ siteId }) => siteId);
  const path = `/v1/control-plane/policies/${policy.id}`;
  refuse([first(fleet)]);
  const attached: Policy = expectStatus(await server.api.put(`${path}/sites`, { sites }), 200);
  expect(attached.sites).toHaveLength(ROUTERS);
  const id = attached.rollout?.id ?? "";
  await expectRollout(server.api, id, "stopped");
  await act(server, id, "rollback");
  await expectRollout(server.api, id, "rolled_back");
  const { data }: { data: Site[] } = expectStatus(await server.api.get("/v1/sites?limit=200"), 200);
  expect(new Set(data.map((site) => site.policy_id))).toEqual(new Set([fleet.policyPath.split("/").at(-1)]));

  first(fleet).router.control.clear();
  const again: Policy = expectStatus(await server.api.put(`${path}/sites`, { sites }), 200);
  await expectRollout(server.api, again.rollout?.id ?? "", "done");
  expect(fleet.members.map(sshPort)).toEqual(fleet.members.map(() => port));

  expectStatus(await server.api.delete(path), 204);
  const { data: newest } = expectStatus(await server.api.get("/v1/rollouts?limit=1"), 200);
  const done = await expectRollout(server.api, newest[0].id, "done");
  expect(done.waves.map(({ size }) => size)).toEqual(WAVES);
  expect(fleet.members.map(sshPort)).not.toContain(port);
});

test("access to a site is by the services that the site has, not by those that are on their way to it", async ({
  server,
  fleet,
}) => {
  refuse([first(fleet)]);
  const { rollout } = await fleet.change({ ssh: { enabled: false } });
  const id = rollout?.id ?? "";
  await expectRollout(server.api, id, "stopped");
  const open = ({ siteId }: Member) =>
    server.api.post(`/v1/control-plane/${siteId}/transient-access`, accessInput());
  expectProblem(await open(first(fleet)), 409, "service-closed");
  const waiting = fleet.members.at(-1) as Member;
  const access = expectStatus(await open(waiting), 201);
  expectStatus(
    await server.api.delete(`/v1/control-plane/${waiting.siteId}/transient-access/${access.id}`),
    204,
  );
  await act(server, id, "rollback");
  await expectRollout(server.api, id, "rolled_back");
});

test("the sites of a rollout are listed by state, page by page", async ({ server, fleet }) => {
  const id = await changeSsh(fleet);
  await expectRollout(server.api, id, "done");
  const seen: RolloutSite[] = [];
  let cursor = "";
  do {
    const query = `state=verified&limit=7${cursor && `&cursor=${cursor}`}`;
    const page = expectStatus(await server.api.get(`/v1/rollouts/${id}/sites?${query}`), 200);
    seen.push(...page.data);
    cursor = page.next_cursor ?? "";
  } while (cursor);
  expect(seen.map(({ site_id }) => site_id)).toEqual(fleet.members.map(({ siteId }) => siteId));
  const failed = expectStatus(await server.api.get(`/v1/rollouts/${id}/sites?state=failed`), 200);
  expect(failed).toEqual({ data: [], next_cursor: null });
  const policy_id = fleet.policyPath.split("/").at(-1);
  const list = expectStatus(await server.api.get(`/v1/rollouts?policy_id=${policy_id}&state=done`), 200);
  expect(list.data[0]).toMatchObject({ id, policy_id, state: "done", sites: { verified: ROUTERS } });
});

test("a server that is killed in the middle of a wave continues where it was", async () => {
  await using process = await ServerProcess.prepare({ PORTREEVE_LOG_LEVEL: "warn" });
  process.start();
  await process.ready();
  await using killed = await ManagedFleet.start(process, ROUTERS);
  slow(killed.members, 400);
  const { rollout } = await killed.change({ ssh: { port: 2222 } });
  const id = rollout?.id ?? "";
  const path = `/v1/rollouts/${id}`;
  for (const wave of [1, 2, 3]) {
    await waitFor(
      async () => expectStatus(await process.api.get(path), 200).waves[wave - 1]?.sites.delivering > 0,
      { what: `wave ${wave} to be on its way`, within: 30_000 },
    );
    await process.kill();
    process.start();
    await process.ready();
  }
  const done = await expectRollout(process.api, id, "done", { within: 60_000 });
  expect(done.waves).toEqual(
    WAVES.map((size, index) => ({ number: index + 1, size, sites: { verified: size } })),
  );
  expect(killed.members.map(sshPort)).toEqual(killed.members.map(() => 2222));
}, 180_000);

/** A policy change reaches five hundred routers: it stops where it does harm, and waits for those that are away. */
import type { AuditEvent } from "@portreeve/api-schema";
import { expect, onTestFinished } from "vitest";
import { ManagedFleet } from "./harness/fleet.ts";
import { expectRollout, expectStatus, expectSync, type TestServer, waitFor } from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const ROUTERS = 500;
const PERIOD_SECONDS = 30;
const REFUSAL = "failure: made for this test";

const test = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: String(PERIOD_SECONDS), PORTREEVE_LOG_LEVEL: "warn" })
  .extend("fleet", { scope: "file" }, async ({ server, closing }) =>
    closing.use(await ManagedFleet.start(server, ROUTERS)),
  );

// Adopting all of them is not the first test's time.
test.beforeAll(({ fleet: _adopted }) => undefined, 240_000);

test("a change that a fifth of the routers refuses stops with no more than 5 % of them touched, and is taken back", async ({
  server,
  fleet,
}) => {
  const before = fleet.configurations();
  const refusing = fleet.members.filter((_, index) => index % 5 === 4);
  onTestFinished(() => {
    for (const { router } of refusing) router.control.clear();
  });
  for (const { router } of refusing)
    router.control.inject({ kind: "trap", command: "/ip/service/set", message: REFUSAL });
  const policy = expectStatus(await server.api.get(fleet.policyPath), 200);

  const changed = await fleet.change({ name: "Bad", ssh: { port: 2222 } });
  const { id } = changed.rollout ?? { id: "" };
  const stopped = await expectRollout(server.api, id, "stopped", { within: 30_000 });

  expect(stopped.reason).toMatch(/^\d of 24 sites of wave 2 failed$/);
  expect(stopped.failed.length).toBeGreaterThanOrEqual(2);
  for (const { site_id, reason } of stopped.failed) {
    expect(refusing.map(({ siteId }) => siteId)).toContain(site_id);
    expect(reason).toContain(REFUSAL);
  }
  expect(stopped.waves.map(({ size }) => size)).toEqual([1, 24, 100, 375]);
  expect(expectStatus(await server.api.get(fleet.policyPath), 200).rollout).toEqual({ id, state: "stopped" });
  // Sites that were being changed when it stopped arrive, or are let go.
  const isQuiet = async () => {
    const { sites } = expectStatus(await server.api.get(`/v1/rollouts/${id}`), 200);
    return sites.delivering === undefined;
  };
  await waitFor(isQuiet, { within: 30_000, what: "the second wave to end" });
  expect(fleet.changedSince(before).length).toBeLessThanOrEqual(ROUTERS / 20);
  expect(fleet.changedSince(before)).not.toEqual([]);
  const given = await server.sql(
    "select from site_policies join policies on policies.revision_id = policy_revision_id where verified_revision_id <> policy_revision_id or verified_revision_id is null",
  );
  expect(given.length).toBeLessThanOrEqual(ROUTERS / 20);

  expectStatus(await server.api.post(`/v1/rollouts/${id}/rollback`), 200);
  await expectRollout(server.api, id, "rolled_back", { within: 30_000 });
  expect(fleet.changedSince(before)).toEqual([]);
  const after = expectStatus(await server.api.get(fleet.policyPath), 200);
  expect(after).toEqual({ ...policy, name: "Bad", updated_at: after.updated_at });
  expect(await actionsOf(server, id)).toEqual([
    "rollout.started",
    "rollout.wave_started",
    "rollout.wave_started",
    "rollout.stopped",
    "rollout.rolling_back",
    "rollout.rolled_back",
  ]);
}, 120_000);

test("of five hundred routers a third is away: the others have the change, the rest wait and have it on return", async ({
  server,
  fleet,
}) => {
  const away = fleet.members.filter((_, index) => index % 10 < 3);
  await Promise.all(away.map(({ router }) => router.control.powerOff()));

  const changed = await fleet.change({ ssh: { port: 2223 } });
  const { id } = changed.rollout ?? { id: "" };
  const reachable = ROUTERS - away.length;
  const waiting = await waitFor(
    async () => {
      const rollout = expectStatus(await server.api.get(`/v1/rollouts/${id}`), 200);
      return rollout.sites.verified === reachable && rollout.sites.unreachable === away.length && rollout;
    },
    { within: 120_000, what: "the change to reach every site that can be reached" },
  );
  expect(waiting).toMatchObject({
    state: "running",
    reason: expect.stringContaining("150 sites that can't be reached"),
  });
  expect(waiting.unreachable[0].reason).toMatch(/ECONNREFUSED/);
  const one = await expectSync(server.api, away[0]?.siteId ?? "", "pending");
  expect(one).toMatchObject({ status: "offline", sync: { reason: expect.stringMatching(/ECONNREFUSED/) } });

  await Promise.all(away.map(({ router }) => router.control.powerOn()));
  await expectRollout(server.api, id, "done", { within: 2 * PERIOD_SECONDS * 1_000 });
  for (const { router } of fleet.members)
    expect(router.control.rows("/ip/service").find(({ name }) => name === "ssh")?.port).toBe("2223");
}, 240_000);

async function actionsOf(server: TestServer, rolloutId: string): Promise<string[]> {
  const { data } = expectStatus(await server.api.get("/v1/audit?limit=200"), 200);
  const events: AuditEvent[] = data.filter((event: AuditEvent) => event.subject_id === rolloutId);
  return events.toReversed().map(({ action }) => action);
}

import type { Policy, Rollout, RolloutDetails } from "@portreeve/api-schema";
import { expect, test } from "vitest";
import type { Api } from "./api.ts";
import { rollouts } from "./rollouts.ts";

const POLICY = "00000000-0000-4000-8000-000000000001";
const ROLLOUT = "00000000-0000-4000-8000-000000000002";

const stopped: RolloutDetails = {
  id: ROLLOUT,
  policy_id: POLICY,
  revision: 3,
  state: "stopped",
  reason: "2 of 4 sites of wave 2 failed",
  sites: { waiting: 94, verified: 3, failed: 2, unreachable: 1 },
  created_at: "2026-11-26T02:30:10.638Z",
  ended_at: null,
  waves: [
    { number: 1, size: 1, sites: { verified: 1 } },
    { number: 2, size: 4, sites: { failed: 2, verified: 2 } },
    { number: 3, size: 95, sites: {} },
  ],
  failed: [{ site_id: POLICY, name: "hill\u001b[2J", wave: 2, state: "failed", reason: "refused" }],
  unreachable: [{ site_id: POLICY, name: "tower", wave: null, state: "unreachable", reason: "no route" }],
};

/** Answers as the server would, and what it was asked. */
function answering(): { api: Api; asked: string[] } {
  const asked: string[] = [];
  const { waves: _waves, failed: _failed, unreachable: _unreachable, ...summary } = stopped;
  const listed: Rollout[] = [summary, { ...summary, policy_id: null, state: "rolled_back", reason: null }];
  const api: Api = {
    request: async (method, path) => {
      asked.push(`${method} ${path}`);
      if (path.startsWith("/v1/control-plane/policies")) return [{ id: POLICY, name: "Towers" } as Policy];
      if (path.startsWith("/v1/rollouts?")) return { data: listed, next_cursor: null };
      return method === "GET" ? stopped : { ...stopped, state: "rolling_back", reason: null };
    },
  };
  return { api, asked };
}

test("one is shown with its waves, and with what failed or can't be reached and why", async () => {
  const { api, asked } = answering();
  const { text, data } = await rollouts.show(api, ["Towers"], {});
  expect(data).toEqual(stopped);
  expect(asked).toContain(`GET /v1/rollouts?policy_id=${POLICY}&limit=1`);
  expect(text).toBe(
    [
      "State     stopped: 2 of 4 sites of wave 2 failed",
      "Policy    Towers",
      "Revision  3",
      "Sites     3 verified, 2 failed, 94 waiting, 1 unreachable",
      "Started   2026-11-26T02:30:10.638Z",
      "Ended     -",
      `Id        ${ROLLOUT}`,
      "",
      "WAVE  SIZE  VERIFIED  FAILED",
      "1     1     1         0",
      "2     4     2         2",
      "3     95    0         0",
      "",
      "SITE         WAVE  STATE        REASON",
      "hill\\x1b[2J  2     failed       refused",
      "tower        -     unreachable  no route",
    ].join("\n"),
  );
});

test("the list names policies, and tells those that are deleted", async () => {
  const { api, asked } = answering();
  const { text } = await rollouts.list(api, [], { policy: "Towers", state: "stopped", limit: "50" });
  expect(asked).toContain(`GET /v1/rollouts?policy_id=${POLICY}&state=stopped&limit=50`);
  expect(text.split("\n").map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ["POLICY", "REVISION", "STATE"],
    ["Towers", "3", "stopped: 2 of 4 sites of wave 2 failed"],
    ["(deleted)", "3", "rolled back"],
  ]);
});

test.each(["pause", "resume", "rollback"] as const)(
  "%s is sent for a policy's newest rollout",
  async (verb) => {
    const { api, asked } = answering();
    expect((await rollouts[verb](api, ["Towers"], {})).text).toBe("the rollout is rolling back");
    expect(asked.at(-1)).toBe(`POST /v1/rollouts/${ROLLOUT}/${verb}`);
  },
);

test("a rollout's id is taken as it is", async () => {
  const { api, asked } = answering();
  await rollouts.pause(api, [ROLLOUT], {});
  expect(asked).toEqual([`POST /v1/rollouts/${ROLLOUT}/pause`]);
});

test("a policy that has had none is told", async () => {
  const api: Api = {
    request: async (_method, path) =>
      path.startsWith("/v1/rollouts") ? { data: [], next_cursor: null } : [{ id: POLICY, name: "Towers" }],
  };
  await expect(rollouts.show(api, ["Towers"], {})).rejects.toThrow("Towers has had no rollout");
});

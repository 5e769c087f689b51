import { expect, test } from "vitest";
import type { ShownRollout, Tally } from "./list.ts";
import { presentDetails, presentRollout } from "./present.ts";

const tallies: Tally[] = [
  { wave: 1, state: "verified", sites: 1 },
  { wave: 2, state: "failed", sites: 2 },
  { wave: 2, state: "verified", sites: 22 },
  { wave: null, state: "waiting", sites: 470 },
  { wave: null, state: "unreachable", sites: 5 },
  { wave: 1, state: "left", sites: 3 },
];

function row(change: Partial<ShownRollout>): ShownRollout {
  return {
    id: "r",
    customer_id: "c",
    policy_id: "p",
    revision_id: "v",
    number: 3,
    state: "running",
    reason: null,
    created_at: new Date(0),
    ended_at: null,
    position: "",
    tallies,
    ...change,
  };
}

test.each<[Partial<ShownRollout>, string | null]>([
  [{}, "waits for 5 sites that can't be reached"],
  [{ state: "rolling_back" }, "waits for 5 sites that can't be reached and 2 sites that failed"],
  [{ state: "stopped", reason: "2 of 24 sites of wave 2 failed" }, "2 of 24 sites of wave 2 failed"],
  [{ state: "paused" }, null],
  [{ state: "done" }, null],
  [{ tallies: tallies.slice(0, 4) }, null],
])("%o waits for %s", (change, reason) => {
  expect(presentRollout(row(change)).reason).toBe(reason);
});

test("sites that left are counted by themselves and are in no wave", () => {
  const shown = presentDetails(row({}), { failed: [], unreachable: [] });
  expect(shown.sites).toEqual({ verified: 23, failed: 2, waiting: 470, unreachable: 5, left: 3 });
  expect(shown.waves).toEqual([
    { number: 1, size: 1, sites: { verified: 1 } },
    { number: 2, size: 24, sites: { failed: 2, verified: 22 } },
    { number: 3, size: 100, sites: {} },
    { number: 4, size: 375, sites: {} },
  ]);
});

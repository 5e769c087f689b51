/** What a rollout takes a site for, from what runs have written down about it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { FixtureFleet } from "./fleet.fixture.ts";
import { listSitesOf } from "./list.ts";

let fleet: FixtureFleet;
let rolloutId: string;
let siteId: string;

beforeAll(async () => {
  fleet = await FixtureFleet.open();
  const policy = await fleet.createPolicy();
  await fleet.addSites(policy, 1);
  rolloutId = (await fleet.change(policy.id, 2022)).rollout_id ?? "";
  [siteId = ""] = await fleet.sites(rolloutId, "delivering");
});
afterAll(() => fleet[Symbol.asyncDispose]());

/** The site was given the revision a minute ago, with its fifth generation. */
interface Situation {
  readonly status: "online" | "offline";
  readonly sync: "pending" | "in_sync" | "drifted" | "failed" | "needs_attention";
  readonly checked: number;
  readonly observed: number;
  /** Seconds since somebody logged in. */
  readonly seen: number;
  readonly given?: number;
  readonly stored?: "waiting" | "failed" | "verified";
}

const before = { status: "online", sync: "pending", checked: 4, observed: 4, seen: 90 } as const;

const situations: [what: string, situation: Situation, state: string, reason: string | null][] = [
  ["no run has come to it yet", before, "delivering", null],
  ["the generation before has just failed", { ...before, sync: "failed" }, "delivering", null],
  [
    "it was delivered and read back",
    { ...before, sync: "in_sync", checked: 5, observed: 5, seen: 1 },
    "verified",
    null,
  ],
  ["a later intent was", { ...before, sync: "pending", checked: 6, observed: 6, seen: 1 }, "verified", null],
  [
    "it was, and somebody has changed the router since",
    { ...before, sync: "drifted", checked: 5, observed: 5, seen: 1 },
    "verified",
    null,
  ],
  ["the router refused it", { ...before, sync: "failed", checked: 5, seen: 1 }, "failed", "because"],
  [
    "a person has to look at it",
    { ...before, sync: "needs_attention", checked: 5, seen: 1 },
    "failed",
    "because",
  ],
  [
    "it has been away since before",
    { ...before, status: "offline", checked: 5, seen: 90 },
    "unreachable",
    "because",
  ],
  [
    "it was reached and is away, perhaps to reboot",
    { ...before, status: "offline", checked: 5, seen: 30 },
    "delivering",
    null,
  ],
  [
    "it was reached and stays away",
    { ...before, status: "offline", checked: 5, seen: 200, given: 300 },
    "failed",
    "away since it was given the change: because",
  ],
  [
    "it had failed and is tried again for another reason",
    { ...before, sync: "pending", checked: 5, seen: 1, stored: "failed" },
    "failed",
    "because",
  ],
  [
    "it had been verified, whatever it is now",
    { ...before, sync: "failed", stored: "verified" },
    "verified",
    null,
  ],
  ["its wave has not come and it can be reached", { ...before, stored: "waiting" }, "waiting", null],
  [
    "its wave has not come and it can't be reached",
    { ...before, status: "offline", stored: "waiting" },
    "unreachable",
    "because",
  ],
];

test.each(situations)("%s", async (_what, situation, state, reason) => {
  const { status, sync, checked, observed, seen, given = 60, stored = "delivering" } = situation;
  await fleet.as(async (trx) => {
    await trx
      .updateTable("sites")
      .set({ status, last_seen_at: secondsAgo(seen) })
      .execute();
    await trx
      .updateTable("site_sync")
      .set({
        sync_state: sync,
        sync_reason: "because",
        checked_generation: String(checked),
        observed_generation: String(observed),
      })
      .execute();
    const started = { wave: 1, generation: "5", started_at: secondsAgo(given) };
    await trx
      .updateTable("rollout_sites")
      .set({ state: stored, ...(stored === "waiting" ? NOT_STARTED : started) })
      .execute();
  });
  const [shown] = await fleet.as((trx) => listSitesOf(trx, rolloutId, { limit: 1 }));
  expect(shown).toMatchObject({ site_id: siteId, state });
  if (reason !== null) expect(shown?.reason).toBe(reason);
});

const NOT_STARTED = { wave: null, generation: null, started_at: null };

function secondsAgo(seconds: number): Date {
  return new Date(Date.now() - seconds * 1_000);
}

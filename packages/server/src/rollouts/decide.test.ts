import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Decision, decide, type SiteProgress } from "./decide.ts";
import { waveEnds } from "./waves.ts";

type State = SiteProgress["state"];

let ids = 0;
/** Sites of one wave (null: not started) in one state. */
function sites(number: number, state: State, wave: number | null = null, excused = false): SiteProgress[] {
  return Array.from({ length: number }, () => ({ siteId: `s${++ids}`, state, wave, excused }));
}

/** The decision in a word, with the wave and number of its sites. */
function words(decision: Decision): string {
  switch (decision.action) {
    case "start":
      return `start ${decision.siteIds.length} in wave ${decision.wave}`;
    case "give back":
      return `give ${decision.siteIds.length} back`;
    case "stop":
      return `stop: ${decision.reason}`;
    case "end":
      return decision.state;
    default:
      return decision.action;
  }
}

const run = (...all: SiteProgress[][]) => words(decide("running", all.flat()));

describe("waves", () => {
  test("ten sites or fewer have it at once, those that can't be reached among them", () => {
    expect(run(sites(9, "waiting"), sites(1, "unreachable"))).toBe("start 10 in wave 1");
  });

  test("of more sites one begins, in the order given, and it is one that can be reached", () => {
    const [away, first, ...others] = [...sites(1, "unreachable"), ...sites(99, "waiting")];
    const decision = decide("running", [away, first, ...others] as SiteProgress[]);
    expect(decision).toEqual({ action: "start", wave: 1, siteIds: [first?.siteId] });
  });

  test("nothing is started while the wave is on its way", () => {
    expect(run(sites(1, "delivering", 1), sites(99, "waiting"))).toBe("wait");
  });

  test("the next wave starts when every site of this one is verified", () => {
    expect(run(sites(1, "verified", 1), sites(99, "waiting"))).toBe("start 4 in wave 2");
    expect(run(sites(5, "verified", 1), sites(95, "waiting"))).toBe("start 20 in wave 3");
    expect(run(sites(25, "verified", 3), sites(75, "waiting"))).toBe("start 75 in wave 4");
  });

  test("failures within the share hold nothing up", () => {
    const wave = [...sites(23, "verified", 2), ...sites(1, "failed", 2)];
    expect(run(sites(1, "verified", 1), wave, sites(475, "waiting"))).toBe("start 100 in wave 3");
  });

  test("it is done when nobody is left to wait for", () => {
    expect(run(sites(3, "verified", 1))).toBe("done");
    expect(run(sites(2, "verified", 1), sites(1, "failed", 1))).toBe("done");
    expect(run()).toBe("done");
  });
});

describe("sites that can't be reached", () => {
  test("hold no wave up", () => {
    const wave = [sites(1, "verified", 1), sites(4, "verified", 2)];
    expect(run(...wave, sites(50, "unreachable"), sites(45, "waiting"))).toBe("start 20 in wave 3");
  });

  test("make room for others when they are away before they were reached", () => {
    expect(run(sites(1, "unreachable", 1), sites(99, "waiting"))).toBe("give 1 back");
  });

  test("are not started before the last wave, and have their turn in an open wave on return", () => {
    const proven = [sites(1, "verified", 1), sites(3, "verified", 2)];
    expect(run(...proven, sites(96, "unreachable"))).toBe("wait");
    expect(run(...proven, sites(95, "unreachable"), sites(1, "waiting"))).toBe("start 1 in wave 2");
  });

  test("are given it in the last wave and keep the rollout from being done", () => {
    const proven = sites(25, "verified", 3);
    expect(run(proven, sites(75, "unreachable"))).toBe("start 75 in wave 4");
    expect(run(proven, sites(75, "unreachable", 4))).toBe("wait");
  });
});

describe("stopping", () => {
  test("one failure in the canary is enough", () => {
    expect(run(sites(1, "failed", 1), sites(499, "waiting"))).toBe("stop: 1 of 1 site of wave 1 failed");
  });

  test("a tenth of a wave, rounded down, is too much, while others are on their way still", () => {
    const before = [sites(1, "verified", 1), sites(475, "waiting")];
    expect(run(...before, sites(1, "failed", 2), sites(23, "delivering", 2))).toBe("wait");
    expect(run(...before, sites(2, "failed", 2), sites(22, "delivering", 2))).toBe(
      "stop: 2 of 24 sites of wave 2 failed",
    );
  });

  test("sites that can't be reached count neither way", () => {
    const last = [sites(2, "failed", 4), sites(18, "verified", 4), sites(300, "unreachable", 4)];
    expect(run(sites(125, "verified", 3), ...last)).toBe("stop: 2 of 20 sites of wave 4 failed");
  });

  test("failures somebody has seen and resumed in spite of don't count again", () => {
    const excused = sites(1, "failed", 1, true);
    expect(run(excused, sites(499, "waiting"))).toBe("start 24 in wave 2");
  });

  test("where everybody has it already there is nothing to stop", () => {
    expect(run(sites(5, "failed", 1), sites(1, "delivering", 1))).toBe("wait");
  });

  test.each(["paused", "stopped"] as const)("while %s nothing is started", (state) => {
    expect(words(decide(state, [...sites(1, "verified", 1), ...sites(99, "waiting")]))).toBe("wait");
    expect(words(decide(state, sites(30, "verified", 1)))).toBe("done");
  });
});

describe("rolling back", () => {
  const back = (...all: SiteProgress[][]) => words(decide("rolling_back", all.flat()));

  test("is over when every site that had it is back", () => {
    const untouched = [sites(400, "waiting"), sites(10, "unreachable")];
    for (const state of ["reverting", "unreachable", "failed"] as const)
      expect(back(...untouched, sites(24, "reverted", 2), sites(1, state, 2))).toBe("wait");
    expect(back(...untouched, sites(24, "reverted", 2), sites(1, "verified", 2))).toBe("rolled_back");
  });
});

test("what is over is left alone", () => {
  for (const state of ["done", "rolled_back", "superseded"] as const)
    expect(words(decide(state, sites(50, "waiting")))).toBe("wait");
});

/** How a made-up router takes a change. */
interface Router {
  readonly refuses: boolean;
  /** In which of its looks it is away. */
  readonly away: readonly boolean[];
}

const router: fc.Arbitrary<Router> = fc.record({
  refuses: fc.boolean(),
  away: fc.array(fc.boolean(), { maxLength: 4 }),
});

/** Carry a rollout to its end over made-up routers; somebody resumes whenever it stops. */
function carryOut(routers: readonly Router[], onLook: (fleet: readonly SiteProgress[]) => void) {
  let fleet: SiteProgress[] = routers.map((_, index) => ({
    siteId: String(index),
    state: "waiting",
    wave: null,
    excused: false,
  }));
  const started: number[] = [];
  const change = (siteIds: readonly string[], to: (site: SiteProgress) => Partial<SiteProgress>) => {
    const chosen = new Set(siteIds);
    fleet = fleet.map((site) => (chosen.has(site.siteId) ? { ...site, ...to(site) } : site));
  };
  for (let look = 0; ; look++) {
    if (look > routers.length * 20 + 50) throw new Error("it never ends");
    fleet = fleet.map((site) => {
      const { away, refuses } = routers[Number(site.siteId)] as Router;
      if (site.state === "verified" || site.state === "failed") return site;
      if (away[look] === true) return { ...site, state: "unreachable" };
      if (site.wave === null) return { ...site, state: "waiting" };
      return { ...site, state: refuses ? "failed" : "verified" };
    });
    onLook(fleet);
    const decision = decide("running", fleet);
    if (decision.action === "end") return { fleet, started };
    if (decision.action === "start") {
      started.push(decision.siteIds.length);
      change(decision.siteIds, () => ({ wave: decision.wave, state: "delivering" }));
    }
    if (decision.action === "give back") change(decision.siteIds, () => ({ wave: null }));
    if (decision.action === "stop")
      change(
        fleet.filter(({ state }) => state === "failed").map(({ siteId }) => siteId),
        () => ({ excused: true }),
      );
  }
}

test("whatever routers do, each has its turn in exactly one wave, and no wave goes beyond its share", () => {
  fc.assert(
    fc.property(fc.array(router, { minLength: 1, maxLength: 300 }), (routers) => {
      const ends = waveEnds(routers.length);
      const { fleet } = carryOut(routers, (now) => {
        for (const [index, end] of ends.entries()) {
          const soFar = now.filter(({ wave }) => wave !== null && wave <= index + 1);
          expect(soFar.length).toBeLessThanOrEqual(end);
          // A wave has begun only when all before it had come to an end.
          const isNextBegun = now.some(({ wave }) => wave === index + 2);
          if (isNextBegun)
            expect(soFar.every(({ state }) => state === "verified" || state === "failed")).toBe(true);
        }
      });
      for (const { wave, state } of fleet) {
        expect(wave).toBeGreaterThan(0);
        expect(["verified", "failed"]).toContain(state);
      }
    }),
    { numRuns: 200 },
  );
});

test("of routers that all refuse only the canary is touched before it stops", () => {
  for (const total of [11, 100, 500, 10_000]) {
    const waiting = sites(total, "waiting");
    const first = decide("running", waiting);
    expect(words(first)).toBe("start 1 in wave 1");
    const [, ...others] = waiting;
    expect(run(sites(1, "failed", 1), others)).toMatch(/^stop/);
  }
});

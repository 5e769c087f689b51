import { describe, expect, test } from "vitest";
import { hearingDelay, readingPeriod, turnOf, type WatchFacts } from "./schedule.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What a reading of a router with 500 rules costs, and of one with the default configuration. */
const [LARGE, SMALL] = [123_000, 7_000];

const quiet: WatchFacts = {
  metered: false,
  heard: false,
  readBytes: LARGE,
  readAt: 0,
  beatAt: 0,
  unheardAt: undefined,
};

describe("a router's turn", () => {
  test.each<[string, Partial<WatchFacts>, number, string]>([
    ["is a heartbeat while nothing was heard", {}, 59 * MINUTE, "heartbeat"],
    ["is a reading at once when something was heard", { heard: true }, 1_000, "reading"],
    ["is a reading when an hour has passed, whatever it costs", {}, HOUR, "reading"],
    ["is a reading sooner where it costs little", { readBytes: SMALL }, 21 * MINUTE, "reading"],
    ["is no reading as soon as the budget forbids it", { readBytes: SMALL }, 20 * MINUTE, "heartbeat"],
    ["includes menus that can't be listened to every ten minutes", { unheardAt: 0 }, 10 * MINUTE, "unheard"],
    ["leaves them out before", { unheardAt: 5 * MINUTE }, 14 * MINUTE, "heartbeat"],
    ["is nothing where each byte costs money", { metered: true, unheardAt: 0 }, 4 * MINUTE, "nothing"],
    ["is a heartbeat every five minutes there", { metered: true, unheardAt: 0 }, 5 * MINUTE, "heartbeat"],
    ["is a reading every six hours there", { metered: true, beatAt: 6 * HOUR - 1 }, 6 * HOUR, "reading"],
    ["is a reading there too when something was heard", { metered: true, heard: true }, 1_000, "reading"],
  ])("%s", (_title, facts, now, expected) => {
    expect(turnOf({ ...quiet, ...facts }, now)).toBe(expected);
  });

  test("readings stay within half a megabyte a day, or are an hour apart", () => {
    for (const readBytes of [500, SMALL, 41_000, LARGE, 5_000_000]) {
      const period = readingPeriod({ metered: false, readBytes });
      const bytesADay = (readBytes * 24 * HOUR) / period;
      expect(Math.round(bytesADay) <= 500_000 || period === HOUR).toBe(true);
    }
  });
});

describe("what is heard", () => {
  test("is read within a second, a few times in a row", () => {
    for (const fruitless of [0, 1, 2, 3]) expect(hearingDelay(fruitless, HOUR)).toBeLessThan(1_000);
  });

  test("is read less and less where it is never about us, down to the period", () => {
    const delays = Array.from({ length: 20 }, (_, fruitless) => hearingDelay(fruitless, HOUR));
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    expect(delays.at(-1)).toBe(HOUR);
  });
});

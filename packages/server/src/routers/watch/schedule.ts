/**
 * What a router's turn is, from what is known of it: nothing, a heartbeat, or a reading. Pure.
 *
 * A reading costs as much as the router has rows, so it is paid from a budget of bytes; what changes on the router in
 * between is heard.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a site's line is to carry in a day, bytes; about half of it are heartbeats, every 30 s. */
const BUDGET = 1_000_000;
const READING_BUDGET = BUDGET / 2;
/** However much one costs, this is the longest time between two. */
const READING_MS = HOUR_MS;
const METERED_READING_MS = 6 * HOUR_MS;
/** Menus that can't be listened to are read by themselves. */
const UNHEARD_MS = 10 * MINUTE_MS;
/** Less than five minutes by half a turn's usual distance, so that the tenth turn is not taken for too early. */
const METERED_HEARTBEAT_MS = 5 * MINUTE_MS - 15_000;

/** What is heard within it makes one reading. */
const GATHER_MS = 500;
/** So many readings in a row may find nothing to do before the next is put off. */
const FREE_READINGS = 3;

export interface WatchFacts {
  readonly metered: boolean;
  /** Something was heard of the menus that were read. */
  readonly heard: boolean;
  /** What the last reading cost, bytes in both directions. */
  readonly readBytes: number;
  /** When, as `now`. */
  readonly readAt: number;
  /** When the router last answered. */
  readonly beatAt: number;
  /** When the menus that can't be listened to were read; undefined where there are none. */
  readonly unheardAt: number | undefined;
}

/** `unheard`: a heartbeat, and the menus that can't be listened to. */
export type Turn = "nothing" | "heartbeat" | "unheard" | "reading";

/** @param now milliseconds on the clock of the facts */
export function turnOf(facts: WatchFacts, now: number): Turn {
  if (facts.heard || now - facts.readAt >= readingPeriod(facts)) return "reading";
  if (facts.metered) return now - facts.beatAt >= METERED_HEARTBEAT_MS ? "heartbeat" : "nothing";
  if (facts.unheardAt !== undefined && now - facts.unheardAt >= UNHEARD_MS) return "unheard";
  return "heartbeat";
}

/** Between two readings, milliseconds. */
export function readingPeriod({ metered, readBytes }: Pick<WatchFacts, "metered" | "readBytes">): number {
  if (metered) return METERED_READING_MS;
  return Math.min(READING_MS, (readBytes / READING_BUDGET) * DAY_MS);
}

/**
 * From something heard to the reading, milliseconds. A router that always has something to tell, and none of it about
 * us, is read less and less for it, down to its period.
 * @param fruitless readings in a row that were made for something heard and found nothing to do
 */
export function hearingDelay(fruitless: number, period: number): number {
  return Math.max(GATHER_MS, Math.min(period, GATHER_MS * 2 ** Math.max(0, fruitless - FREE_READINGS)));
}

import { expect, test } from "vitest";
import { DatabaseClock } from "./database-clock.ts";

/** A monotonic clock that a test moves. */
function handClock() {
  const clock = { now: 1_000, monotonicMs: () => clock.now, wallMs: () => 0 };
  return clock;
}

test("the time goes on between two readings", () => {
  const clock = handClock();
  const database = new DatabaseClock(clock, 0);
  database.observe(clock.now, 50_000);
  clock.now += 300;
  expect(database.highestMs).toBe(50_300);
  expect(database.currentMs).toBe(50_300);
});

test("an answer that was long on its way makes nothing late and nothing early", () => {
  const clock = handClock();
  const database = new DatabaseClock(clock, 0);
  database.observe(clock.now, 50_000);
  const asked = clock.now;
  clock.now += 10_000;
  database.observe(asked, 50_001);
  expect(database.highestMs).toBe(60_000);
  expect(database.currentMs).toBe(60_000);
});

test("a clock that is set back is seen as that, and the highest time is kept", () => {
  const clock = handClock();
  const database = new DatabaseClock(clock, 0);
  database.observe(clock.now, 50_000);
  clock.now += 1_000;
  database.observe(clock.now - 10, 41_000);
  expect(database.highestMs).toBe(51_000);
  expect(database.currentMs).toBe(41_010);
});

test("the highest time of an earlier life counts from the start", () => {
  const database = new DatabaseClock(handClock(), 70_000);
  expect(database.isKnown).toBe(false);
  expect(database.highestMs).toBe(70_000);
});

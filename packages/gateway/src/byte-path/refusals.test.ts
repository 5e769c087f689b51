import { expect, test } from "vitest";
import { RefusalThrottle } from "./refusals.ts";

function throttleAt(clock: { ms: number }) {
  return new RefusalThrottle(() => clock.ms);
}

test("a source is reported once a minute, however often it is refused", () => {
  const clock = { ms: 0 };
  const throttle = throttleAt(clock);
  let reports = 0;
  for (; clock.ms < 180_000; clock.ms += 10) if (throttle.lets("192.0.2.1", "source")) reports++;
  expect(reports).toBe(3);
});

test("sources and reasons are counted apart", () => {
  const throttle = throttleAt({ ms: 0 });
  expect(throttle.lets("192.0.2.1", "source")).toBe(true);
  expect(throttle.lets("192.0.2.2", "source")).toBe(true);
  expect(throttle.lets("192.0.2.1", "limit")).toBe(true);
  expect(throttle.lets("192.0.2.1", "source")).toBe(false);
});

test("a flood of different sources is reported up to a bound, and again a minute later", () => {
  const clock = { ms: 0 };
  const throttle = throttleAt(clock);
  const flood = () => {
    let reports = 0;
    for (let i = 0; i < 100_000; i++) if (throttle.lets(`2001:db8::${i.toString(16)}`, "source")) reports++;
    return reports;
  };
  expect(flood()).toBe(1_024);
  clock.ms = 60_000;
  expect(flood()).toBe(1_024);
});

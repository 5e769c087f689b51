import { expect, test } from "vitest";
import { isDue, timeOf } from "./renewal.ts";

const row = (change: Record<string, string> = {}) => ({
  "invalid-before": "2026-01-01 00:00:00",
  "invalid-after": "2027-01-01 00:00:00",
  "expires-after": "52w1d",
  expired: "false",
  ...change,
});

test.each([
  ["a new one", {}, false],
  ["with thirty days left", { "expires-after": "4w2d" }, false],
  ["with a second less", { "expires-after": "4w1d23h59m59s" }, true],
  ["that has ended", { "expires-after": "0s", expired: "true" }, true],
  ["that has ended, and no longer says when", { "expires-after": "", expired: "true" }, true],
  [
    "of RouterOS 6",
    {
      "invalid-before": "jan/01/2026 00:00:00",
      "invalid-after": "jan/01/2027 00:00:00",
      "expires-after": "1w2d3h",
    },
    true,
  ],
  // A router that signs for a day only would otherwise sign without end.
  ["new and short", { "invalid-after": "2026-01-02 00:00:00", "expires-after": "23h59m" }, false],
  // Signed before the clock was set, by a board that begins in 1970.
  [
    "signed in 1970",
    {
      "invalid-before": "1970-01-01 00:05:00",
      "invalid-after": "1971-01-01 00:05:00",
      "expires-after": "0s",
      expired: "true",
    },
    true,
  ],
  ["whose times can't be read", { "invalid-after": "soon", "expires-after": "\u001b[2J" }, false],
])("a certificate %s is due: %s", (_what, change, due) => {
  expect(isDue(row(change as Record<string, string>))).toBe(due);
});

test("times are read in both forms of RouterOS, and what is none is none", () => {
  expect(timeOf("2027-01-31 12:00:05")).toBe(Date.UTC(2027, 0, 31, 12, 0, 5));
  expect(timeOf("jan/31/2027 12:00:05")).toBe(Date.UTC(2027, 0, 31, 12, 0, 5));
  expect(timeOf("never")).toBeUndefined();
  expect(timeOf(undefined)).toBeUndefined();
});

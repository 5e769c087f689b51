import { expect, test } from "vitest";
import { admits, formatSeconds, prefixes, readPrefix, readSeconds } from "./values.ts";

test.each([
  ["192.0.2.1", "192.0.2.1/32"],
  ["192.0.2.0/24", "192.0.2.0/24"],
  ["2001:DB8::/32", "2001:db8::/32"],
  ["2001:db8::1", "2001:db8::1/128"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["192.0.2.1/24", undefined],
  ["192.0.2.0/33", undefined],
  ["192.0.2.0/24/8", undefined],
  ["192.0.2", undefined],
  ["0x7f.1", undefined],
  ["", undefined],
])("the prefix %j is stored as %j", (text, stored) => {
  expect(readPrefix(text)).toBe(stored);
});

test("a list of prefixes keeps its order, and one bad element refuses it", () => {
  expect(prefixes.read("10.0.0.0/8,192.0.2.1", "address")).toBe("10.0.0.0/8,192.0.2.1/32");
  expect(() => prefixes.read("10.0.0.0/8,bad", "address")).toThrow("invalid value for argument address");
});

test("an empty list admits everyone, a list of IPv4 prefixes no IPv6 client", () => {
  expect(admits("", "2001:db8::1")).toBe(true);
  expect(admits("0.0.0.0/0", "2001:db8::1")).toBe(false);
  expect(admits("10.0.0.0/8,192.0.2.0/24", "192.0.2.9")).toBe(true);
  expect(admits("10.0.0.0/8", "192.0.2.9")).toBe(false);
  expect(admits("10.0.0.0/8", "::ffff:10.0.0.1")).toBe(true);
});

test.each([
  ["1w2d3h4m5s", 788_645],
  ["00:05:00", 300],
  ["90", 90],
  ["90m", 5400],
  ["5 minutes", undefined],
  ["", undefined],
])("the duration %j is %j seconds", (text, seconds) => {
  expect(readSeconds(text)).toBe(seconds);
});

test("durations leave out parts of value zero", () => {
  expect(formatSeconds(788_645)).toBe("1w2d3h4m5s");
  expect(formatSeconds(3600)).toBe("1h");
  expect(formatSeconds(0)).toBe("0s");
});

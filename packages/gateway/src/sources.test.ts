import { expect, test } from "vitest";
import { admission } from "./sources.ts";

test("one address, as a network of its whole length, admits that address alone", () => {
  const admits = admission(["203.0.113.7/32"]);
  expect(admits("203.0.113.7")).toBe(true);
  expect(admits("203.0.113.8")).toBe(false);
});

test("a network admits its addresses, IPv4 and IPv6", () => {
  const admits = admission(["203.0.113.0/24", "2001:db8::/32"]);
  expect(admits("203.0.113.255")).toBe(true);
  expect(admits("203.0.114.0")).toBe(false);
  expect(admits("2001:db8:1::5")).toBe(true);
  expect(admits("2001:db9::1")).toBe(false);
});

test.each(["::/0", "::ffff:0:0/96"])("the IPv6 network %s admits no IPv4 address", (network) => {
  expect(admission([network])("203.0.113.7")).toBe(false);
});

test("without a network nobody is admitted, and text that is no address is nobody", () => {
  expect(admission([])("203.0.113.7")).toBe(false);
  expect(admission(["0.0.0.0/0"])("localhost")).toBe(false);
});

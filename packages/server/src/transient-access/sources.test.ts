import { expect, test } from "vitest";
import { admission } from "./sources.ts";

const nobody = { allow_only_ip: null, allow_only_cidr: null, allow_rfc1918: false };

test("a grant for one address admits that address alone", () => {
  const admits = admission({ ...nobody, allow_only_ip: "203.0.113.7" });
  expect(admits("203.0.113.7")).toBe(true);
  expect(admits("203.0.113.8")).toBe(false);
  expect(admits("10.0.0.1")).toBe(false);
});

test("a grant for a network admits its addresses, IPv4 and IPv6", () => {
  expect(admission({ ...nobody, allow_only_cidr: "203.0.113.0/24" })("203.0.113.255")).toBe(true);
  const v6 = admission({ ...nobody, allow_only_cidr: "2001:db8::/32" });
  expect(v6("2001:db8:1::5")).toBe(true);
  expect(v6("2001:db9::1")).toBe(false);
  expect(v6("203.0.113.7")).toBe(false);
});

test("allow_rfc1918 admits private addresses beside the named source", () => {
  const admits = admission({ ...nobody, allow_only_ip: "203.0.113.7", allow_rfc1918: true });
  for (const source of ["203.0.113.7", "10.1.2.3", "172.31.0.1", "192.168.88.1"])
    expect(admits(source)).toBe(true);
  for (const source of ["172.32.0.1", "127.0.0.1", "203.0.113.8"]) expect(admits(source)).toBe(false);
});

test("the whole internet is admitted when it is spelt out, per address family", () => {
  const admits = admission({ ...nobody, allow_only_cidr: "0.0.0.0/0" });
  expect(admits("198.51.100.1")).toBe(true);
  expect(admits("2001:db8::1")).toBe(false);
});

test("a grant without a source admits nobody, and text that is no address is nobody", () => {
  expect(admission(nobody)("203.0.113.7")).toBe(false);
  expect(admission({ ...nobody, allow_only_cidr: "0.0.0.0/0" })("localhost")).toBe(false);
});

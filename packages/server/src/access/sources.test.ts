import { expect, test } from "vitest";
import { networksOf } from "./sources.ts";

const nobody = { allow_only_ip: null, allow_only_cidr: null, allow_rfc1918: false };

test("one address is the network of that address alone, IPv4 and IPv6", () => {
  expect(networksOf({ ...nobody, allow_only_ip: "203.0.113.7" })).toEqual(["203.0.113.7/32"]);
  expect(networksOf({ ...nobody, allow_only_ip: "2001:db8::1" })).toEqual(["2001:db8::1/128"]);
});

test("a network is itself, and allow_rfc1918 adds the private ones", () => {
  expect(networksOf({ ...nobody, allow_only_cidr: "203.0.113.0/24", allow_rfc1918: true })).toEqual([
    "203.0.113.0/24",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
  ]);
});

test("a grant without a source has no network", () => {
  expect(networksOf(nobody)).toEqual([]);
});

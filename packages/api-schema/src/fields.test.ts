import { expect, test } from "vitest";
import { parseNetwork } from "./fields.ts";

test.each([
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["192.0.2.7", "192.0.2.7/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["2001:DB8:0:0::/32", "2001:db8::/32"],
  ["2001:db8::1", "2001:db8::1/128"],
  ["::/0", "::/0"],
])("%j is the network %j", (text, network) => {
  expect(parseNetwork(text)).toEqual({ network });
});

test.each([
  ["10.0.0.5/8", "has host bits set; write 10.0.0.0/8"],
  ["2001:db8::1/32", "has host bits set; write 2001:db8::/32"],
  ["10.0.0.0/33", "prefix length must be a whole number from 0 to 32"],
  ["10.0.0.0/", "prefix length must be a whole number from 0 to 32"],
  ["10.0.0.0/8/8", "must be an IPv4 or IPv6 network such as 10.0.0.0/8"],
  ["10.1/16", "must be an IPv4 or IPv6 network such as 10.0.0.0/8"],
  ["012.0.0.0/8", "must be an IPv4 or IPv6 network such as 10.0.0.0/8"],
  ["fe80::1%eth0", "must be an IPv4 or IPv6 network such as 10.0.0.0/8"],
  ["router", "must be an IPv4 or IPv6 network such as 10.0.0.0/8"],
  ["", "must be an IPv4 or IPv6 network such as 10.0.0.0/8"],
])("%j is refused: %s", (text, problem) => {
  expect(parseNetwork(text)).toEqual({ problem });
});

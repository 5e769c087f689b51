import { expect, test } from "vitest";
import { contains, matches } from "./match.ts";
import type { Packet } from "./packet.ts";

const packet: Packet = {
  state: "new",
  srcAddress: "192.0.2.7",
  srcPort: 50_000,
  dstAddress: "198.51.100.1",
  dstPort: 8728,
};
const nobody = () => false;

test.each<[Record<string, string>, boolean]>([
  [{}, true],
  [{ protocol: "tcp" }, true],
  [{ protocol: "udp" }, false],
  [{ protocol: "!udp" }, true],
  [{ "connection-state": "new" }, true],
  [{ "connection-state": "established,related" }, false],
  [{ "connection-state": "!established,related" }, true],
  [{ "src-address": "192.0.2.0/24" }, true],
  [{ "src-address": "!192.0.2.0/24" }, false],
  [{ "src-address": "192.0.2.1-192.0.2.7" }, true],
  [{ "src-address": "192.0.2.1-192.0.2.6" }, false],
  [{ "dst-address": "198.51.100.1" }, true],
  [{ "dst-port": "22,8728-8729" }, true],
  [{ "dst-port": "22,8729-9000" }, false],
  [{ "dst-port": "!8728" }, false],
  [{ port: "50000" }, true],
  [{ "src-port": "1-1024" }, false],
  [{ "tcp-flags": "syn,!ack" }, true],
  [{ "tcp-flags": "ack" }, false],
  [{ "connection-mark": "no-mark" }, true],
  [{ "packet-mark": "a" }, false],
  [{ "dst-address-type": "local" }, true],
  [{ protocol: "tcp", "dst-port": "8728", "src-address": "10.0.0.0/8" }, false],
])("a rule with %o matches a connection to the API: %s", (rule, expected) => {
  expect(matches(rule, packet, nobody)).toBe(expected);
});

test("connections come in by no interface, so only a negated one matches", () => {
  expect(matches({ "in-interface": "ether1" }, packet, nobody)).toBe(false);
  expect(matches({ "in-interface": "!ether1" }, packet, nobody)).toBe(true);
  expect(matches({ "in-interface-list": "!LAN" }, packet, nobody)).toBe(true);
});

test("a rule with a matcher the emulator can't work out matches nothing", () => {
  expect(matches({ limit: "3,5:packet" }, packet, nobody)).toBe(false);
  expect(matches({ "layer7-protocol": "!x" }, packet, nobody)).toBe(false);
});

test("an address list is asked by name, and its answer can be turned round", () => {
  const onList = (list: string, address: string) => list === "mgmt" && address === "192.0.2.7";
  expect(matches({ "src-address-list": "mgmt" }, packet, onList)).toBe(true);
  expect(matches({ "src-address-list": "!mgmt" }, packet, onList)).toBe(false);
  expect(matches({ "src-address-list": "other" }, packet, onList)).toBe(false);
  expect(matches({ "dst-address-list": "mgmt" }, packet, onList)).toBe(false);
});

test.each([
  ["2001:db8::/32", "2001:db8::7", true],
  ["2001:db8::1", "2001:db8::7", false],
  ["192.0.2.0/24", "2001:db8::7", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["router.example", "203.0.113.9", false],
])("%s holds %s: %s", (value, address, expected) => {
  expect(contains(value, address)).toBe(expected);
});

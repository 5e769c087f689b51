import { expect, test } from "vitest";
import { AddressRefusedError, AddressRules } from "./address.ts";

const rules = new AddressRules({ allowLoopback: false });

test.each([
  "127.0.0.1",
  "127.1",
  "0x7f.1",
  "0x7f000001",
  "2130706433",
  "017700000001",
  "0",
  "0.0.0.0",
  "localhost",
  "router.localhost",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:169.254.169.254",
  "[::]",
  "169.254.169.254",
  "100.100.100.200",
  "fe80::1",
  "fe80::1%eth0",
  "fd00:ec2::254",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "224.0.0.1",
  "255.255.255.255",
  "ff02::1",
  "http://router.example",
  "router.example:8728",
  "rou ter",
  "-router",
  "",
])("%j is refused as a site's address", (address) => {
  expect(rules.problemWith(address)).toBeTypeOf("string");
});

test.each(["192.0.2.1", "10.0.0.1", "100.64.3.7", "2001:db8::1", "router", "core-1.pop.example.net"])(
  "%j may be a site's address",
  (address) => {
    expect(rules.problemWith(address)).toBeUndefined();
  },
);

test("loopback is allowed where the setting says so, and only loopback", () => {
  const local = new AddressRules({ allowLoopback: true });
  expect(local.problemWith("127.77.0.1")).toBeUndefined();
  expect(local.problemWith("::1")).toBeUndefined();
  expect(local.problemWith("169.254.169.254")).toBeTypeOf("string");
});

test("an address resolves to itself, and one that is refused does not resolve", async () => {
  await expect(rules.resolve("192.0.2.1")).resolves.toBe("192.0.2.1");
  await expect(rules.resolve("127.0.0.1")).rejects.toThrow(AddressRefusedError);
});

test("a name that resolves to a refused address is refused after resolution", async () => {
  const resolver = async () => [
    { address: "192.0.2.1", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  await expect(rules.resolve("rebind.example", resolver)).rejects.toThrow("resolves to 127.0.0.1");
});

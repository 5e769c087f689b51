import { expect, test } from "vitest";
import { chooseSource, sourceFor } from "./source.ts";

const address = (text: string) => ({ address: text, family: "IPv4", internal: false }) as never;
const INTERFACES = {
  eth0: [address("203.0.113.5"), address("203.0.113.6"), address("fe80::1")],
  wg0: [address("100.64.0.1")],
  docker0: [address("172.17.0.1")],
};

test("a check leaves from the address the kernel takes, when management leaves from another", () => {
  const ways = { ownAddress: "100.64.0.1", managementAddress: "100.64.0.1" };

  expect(chooseSource("203.0.113.5", ways, INTERFACES)).toEqual({
    localAddress: "203.0.113.5",
    seenAs: "203.0.113.5",
  });
});

test("where the kernel takes the management address, another one of the same interface is taken", () => {
  const ways = { ownAddress: "203.0.113.5", managementAddress: "203.0.113.5" };

  expect(chooseSource("203.0.113.5", ways, INTERFACES).localAddress).toBe("203.0.113.6");
});

test("an address of another interface is not: nothing says that it leads to the site", () => {
  const ways = { ownAddress: "100.64.0.1", managementAddress: "100.64.0.1" };

  expect(chooseSource("100.64.0.1", ways, INTERFACES)).toEqual({
    localAddress: "100.64.0.1",
    seenAs: "100.64.0.1",
  });
});

test("behind an address translation the check is seen to come from where management comes from", () => {
  const ways = { ownAddress: undefined, managementAddress: "198.51.100.7" };

  expect(chooseSource("172.17.0.1", ways, INTERFACES)).toEqual({
    localAddress: "172.17.0.1",
    seenAs: "198.51.100.7",
  });
});

test("an IPv6 site is not checked from an IPv4 address", () => {
  const ways = { ownAddress: "203.0.113.5", managementAddress: "2001:db8::5" };

  expect(
    chooseSource("2001:db8::5", ways, { eth0: [address("203.0.113.5"), address("2001:db8::5")] }),
  ).toEqual({
    localAddress: "2001:db8::5",
    seenAs: "2001:db8::5",
  });
});

test("the address the kernel takes is found without a packet sent", async () => {
  const ways = { ownAddress: "127.9.9.9", managementAddress: "127.9.9.9" };

  expect(await sourceFor("127.0.0.1", ways)).toEqual({ localAddress: "127.0.0.1", seenAs: "127.0.0.1" });
});

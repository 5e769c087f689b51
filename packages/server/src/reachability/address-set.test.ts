import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AddressSet,
  formatAddresses,
  intersect,
  parseAddresses,
  subtract,
  toSet,
  unite,
} from "./address-set.ts";

const set = (...texts: string[]): AddressSet =>
  unite(...texts.map((text) => parseAddresses(text, text.includes(":") ? "ipv6" : "ipv4") ?? []));
const text = (addresses: AddressSet, family: "ipv4" | "ipv6" = "ipv4") =>
  formatAddresses(addresses, family, 10);

test.each([
  ["192.0.2.7", ["192.0.2.7"]],
  ["192.0.2.0/24", ["192.0.2.0/24"]],
  ["192.0.2.9/24", ["192.0.2.0/24"]],
  ["192.0.2.1-192.0.2.9", ["192.0.2.1-192.0.2.9"]],
  ["192.0.2.0-192.0.2.255", ["192.0.2.0/24"]],
  ["0.0.0.0/0", ["0.0.0.0/0"]],
])("%s stands for %j", (written, shown) => {
  expect(text(parseAddresses(written, "ipv4") ?? [])).toEqual(shown);
});

test("IPv6 networks are read and written in their shortest spelling", () => {
  expect(text(parseAddresses("2001:DB8:0:0::/32", "ipv6") ?? [], "ipv6")).toEqual(["2001:db8::/32"]);
  expect(text(parseAddresses("::1", "ipv6") ?? [], "ipv6")).toEqual(["::1"]);
});

test.each(["router.example", "10/8", "192.0.2.1/33", "192.0.2.9-192.0.2.1", "1-2-3", "fe80::1%ether1", ""])(
  "%j stands for no addresses",
  (written) => {
    expect(parseAddresses(written, "ipv4")).toBeUndefined();
  },
);

test("addresses of the other family are nobody", () => {
  expect(parseAddresses("2001:db8::/32", "ipv4")).toEqual([]);
});

test("networks that touch become one, and a hole splits one", () => {
  expect(text(set("10.0.0.0/9", "10.128.0.0/9"))).toEqual(["10.0.0.0/8"]);
  expect(text(subtract(set("10.0.0.0/30"), set("10.0.0.1")))).toEqual(["10.0.0.0", "10.0.0.2/31"]);
  expect(text(subtract(set("0.0.0.0/0"), set("0.0.0.0/1")))).toEqual(["128.0.0.0/1"]);
});

test("a long set is cut and says how much is left", () => {
  const hosts = set("192.0.2.1", "192.0.2.3", "192.0.2.5");
  expect(formatAddresses(hosts, "ipv4", 2)).toEqual(["192.0.2.1", "192.0.2.3", "and 1 more"]);
});

/** Small numbers, so that sets meet; membership of every number is what a set is. */
const ranges = fc.array(
  fc.tuple(fc.nat(40), fc.nat(8)).map(([first, size]) => ({
    first: BigInt(first),
    last: BigInt(first + size),
  })),
  { maxLength: 8 },
);
const members = (addresses: AddressSet) =>
  Array.from({ length: 60 }, (_, n) => addresses.some(({ first, last }) => first <= n && n <= last));

test("union, intersection and difference hold for every address by itself", () => {
  fc.assert(
    fc.property(ranges, ranges, (left, right) => {
      const [a, b] = [toSet(left), toSet(right)];
      const [inA, inB] = [members(left), members(right)];
      expect(members(unite(a, b))).toEqual(inA.map((is, n) => is || inB[n]));
      expect(members(intersect(a, b))).toEqual(inA.map((is, n) => is && inB[n]));
      expect(members(subtract(a, b))).toEqual(inA.map((is, n) => is && !inB[n]));
      for (const result of [a, unite(a, b), intersect(a, b), subtract(a, b)])
        expect(result).toEqual(toSet(result));
    }),
  );
});

import { expect, test } from "vitest";
import * as der from "./der.ts";

const hex = (bytes: Buffer) => bytes.toString("hex");

test.each([
  ["2.5.29.19", "0603551d13"],
  ["1.2.840.113549.1.1.11", "06092a864886f70d01010b"],
  ["1.3.6.1.5.5.7.3.1", "06082b06010505070301"],
])("the object identifier %s is written %s", (text, expected) => {
  expect(hex(der.oid(text))).toBe(expected);
});

test("an integer is never negative and has no zeros in front", () => {
  expect(hex(der.integer(Buffer.of(0, 0, 0x80)))).toBe("02020080");
  expect(hex(der.integer(Buffer.of(0, 5)))).toBe("020105");
  expect(hex(der.integer(Buffer.of(0)))).toBe("020100");
});

test("lengths from 128 on take the long form", () => {
  expect(hex(der.octets(Buffer.alloc(127))).slice(0, 4)).toBe("047f");
  expect(hex(der.octets(Buffer.alloc(128))).slice(0, 6)).toBe("048180");
  expect(hex(der.octets(Buffer.alloc(256))).slice(0, 8)).toBe("04820100");
});

test("named bits leave out the zeros at their end", () => {
  expect(hex(der.namedBits([0, 2]))).toBe("030205a0");
  expect(hex(der.namedBits([5, 6]))).toBe("03020106");
  expect(hex(der.namedBits([8]))).toBe("0303070080");
  expect(hex(der.namedBits([]))).toBe("030100");
});

test("years from 2050 on are written in full", () => {
  expect(der.time(new Date("2049-12-31T23:59:59Z")).toString("latin1", 2)).toBe("491231235959Z");
  expect(der.time(new Date("2050-01-01T00:00:00Z")).toString("latin1", 2)).toBe("20500101000000Z");
});

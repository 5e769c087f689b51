import { expect, test } from "vitest";
import { canonical, wireValue } from "./fields.ts";

test.each([
  ["boolean", "yes", "true"],
  ["boolean", "no", "false"],
  ["boolean", undefined, "false"],
  ["networks", "10.0.0.1", "10.0.0.1/32"],
  ["networks", "10.0.0.0/8,192.168.0.0/16", "192.168.0.0/16, 10.0.0.0/8"],
  ["networks", "2001:db8::1", "2001:DB8:0:0:0:0:0:1/128"],
  ["networks", undefined, ""],
  ["policies", "read,write,!ftp,!policy", "write,read"],
  ["text", undefined, ""],
] as const)("%s: %j means the same as %j", (kind, a, b) => {
  expect(canonical(kind, a)).toBe(canonical(kind, b));
});

test.each([
  ["networks", "10.0.0.0/8", "10.0.0.0/9"],
  ["networks", "0.0.0.0/0", ""],
  ["policies", "read", "read,write"],
  ["text", "yes", "true"],
  ["networks", "not-an-address", "10.0.0.1"],
] as const)("%s: %j differs from %j", (kind, a, b) => {
  expect(canonical(kind, a)).not.toBe(canonical(kind, b));
});

test("booleans are written as yes and no", () => {
  expect(wireValue("boolean", "true", undefined)).toBe("yes");
  expect(wireValue("boolean", "false", "true")).toBe("no");
});

test("only rights that are granted and not wanted are taken away by name", () => {
  expect(wireValue("policies", "read,api", "read,write,!ftp")).toBe("read,api,!write");
  expect(wireValue("policies", "read,api", undefined)).toBe("read,api");
});

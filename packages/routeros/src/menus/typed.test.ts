import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidValueError } from "../errors.ts";
import { parseVersion } from "../version.ts";
import {
  canonical,
  certificate,
  firewallAddressList,
  firewallFilter,
  ipService,
  systemScheduler,
  toTyped,
  toWire,
  user,
} from "./index.ts";

const V6 = parseVersion("6.49.17");
const V7_16 = parseVersion("7.16");
const V7_24 = parseVersion("7.24");

describe("a row as typed values", () => {
  test("has the types of its fields, and only what the row has", () => {
    const row = toTyped(firewallFilter, {
      ".id": "*1F",
      chain: "input",
      "connection-state": "established,related",
      disabled: "false",
      bytes: "1234",
      comment: "yes",
      "something-new": "x",
    });
    const bytes: number | undefined = row.bytes;
    expect({ ...row, bytes }).toEqual({
      ".id": "*1F",
      chain: "input",
      "connection-state": ["established", "related"],
      disabled: false,
      bytes: 1234,
      comment: "yes",
    });
  });

  test("reads dates of RouterOS 6 and 7, and durations of both", () => {
    const date = { year: 2026, month: 9, day: 26 };
    expect(toTyped(systemScheduler, { "start-date": "sep/26/2026", interval: "01:30:00" })).toEqual(
      toTyped(systemScheduler, { "start-date": "2026-09-26", interval: "1h30m" }),
    );
    expect(toTyped(systemScheduler, { "start-date": "2026-09-26" })["start-date"]).toEqual(date);
    expect(toTyped(certificate, { "invalid-after": "2026-09-26 03:00:00" })["invalid-after"]).toEqual({
      ...date,
      hour: 3,
      minute: 0,
      second: 0,
    });
  });

  test("reads who may reach a service under either name", () => {
    expect(toTyped(ipService, { "available-from": "10.0.0.0/8" }).address).toEqual(["10.0.0.0/8"]);
    expect(toTyped(ipService, { address: "" }).address).toEqual([]);
  });

  test("takes an empty text or none for nothing where the field is no text, and never shows a secret", () => {
    expect(toTyped(firewallAddressList, { timeout: "", disabled: "" })).toEqual({});
    expect(toTyped(firewallAddressList, { timeout: "none" })).toEqual({});
    expect(toTyped(user, { password: "*****" })).toEqual({});
  });

  test("names the field that holds something else", () => {
    expect(() => toTyped(ipService, { port: "ssh" })).toThrow(/\/ip\/service port: not a whole number/);
    expect(() => toTyped(systemScheduler, { "start-date": "2026-02-30" })).toThrow(InvalidValueError);
  });
});

describe("typed values as words", () => {
  test("are RouterOS's own spelling, under the name the version has", () => {
    const values = {
      port: 8729,
      disabled: false,
      address: ["10.0.0.0/8", "fd00::/8"],
      certificate: undefined,
    };
    expect(toWire(ipService, values, V7_16)).toEqual({
      port: "8729",
      disabled: "no",
      address: "10.0.0.0/8,fd00::/8",
    });
    expect(toWire(ipService, values, V7_24)).toHaveProperty("available-from", "10.0.0.0/8,fd00::/8");
  });

  test("write dates as the version does, and refuse where nobody knows", () => {
    const values = { name: "x", "start-date": { year: 2026, month: 9, day: 26 }, interval: 90_000 };
    expect(toWire(systemScheduler, values, V6)).toEqual({
      name: "x",
      "start-date": "sep/26/2026",
      interval: "1m30s",
    });
    expect(toWire(systemScheduler, values, V7_24)["start-date"]).toBe("2026-09-26");
    expect(() => toWire(systemScheduler, values, V7_16)).toThrow(/start-date: how this version writes dates/);
  });

  test.each([
    ["a field of a later version", () => toWire(ipService, { "max-sessions": 5 }, V6)],
    ["a read-only field", () => toWire(user, { expired: true } as object, V7_24)],
    ["a field that is none", () => toWire(user, { constructor: "x" } as object, V7_24)],
    ["a number that is not whole", () => toWire(ipService, { port: 1.5 }, V7_24)],
    ["a list element with a comma", () => toWire(ipService, { address: ["a,b"] }, V7_24)],
  ])("%s is refused", (_, write) => {
    expect(write).toThrow(InvalidValueError);
  });

  test("are read back as they were", () => {
    const element = fc.stringMatching(/^[a-z0-9./:-]{1,20}$/);
    const values = fc.record({
      name: fc.string(),
      interval: fc.nat({ max: 10 ** 9 }),
      policy: fc.array(element),
      disabled: fc.boolean(),
      "start-date": fc.record({
        year: fc.integer({ min: 1970, max: 2100 }),
        month: fc.constant(2),
        day: fc.nat(27),
      }),
    });
    const property = fc.property(values, fc.constantFrom(V6, V7_24), (given, version) => {
      const day = { ...given["start-date"], day: given["start-date"].day + 1 };
      const typed = { ...given, "start-date": day };
      expect(toTyped(systemScheduler, toWire(systemScheduler, typed, version))).toEqual(typed);
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

test("lists and durations are compared by what they mean", () => {
  expect(canonical("list", "related,established")).toBe(canonical("list", "established,related"));
  expect(canonical("duration", "01:30:00")).toBe(canonical("duration", "90m"));
  expect(canonical("duration", "none")).not.toBe(canonical("duration", "0s"));
});

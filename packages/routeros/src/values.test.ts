import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidValueError } from "./errors.ts";
import {
  formatBoolean,
  formatDateTime,
  formatDuration,
  formatId,
  formatList,
  isId,
  parseBoolean,
  parseDateTime,
  parseDurationMs,
  parseId,
  parseList,
} from "./values.ts";

describe("a boolean", () => {
  test("is read in both spellings and written in the one every version takes", () => {
    expect(["true", "yes", "false", "no"].map(parseBoolean)).toEqual([true, true, false, false]);
    expect([true, false].map(formatBoolean)).toEqual(["yes", "no"]);
  });

  test.each(["", "1", "TRUE", "y"])("is not %j", (text) => {
    expect(() => parseBoolean(text)).toThrow(InvalidValueError);
  });
});

describe("an id", () => {
  test("is a star and upper-case hexadecimal", () => {
    expect(parseId("*28E")).toBe(654);
    expect(formatId(654)).toBe("*28E");
    expect(["*0", "*B546", "ether1", "*", "*28e", "28E", "*1,*2"].map(isId)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test("comes back the same", () => {
    fc.assert(fc.property(fc.nat(), (value) => parseId(formatId(value)) === value));
  });

  test.each([-1, 1.5, Number.NaN])("is never written from %d", (value) => {
    expect(() => formatId(value)).toThrow(InvalidValueError);
  });
});

describe("a list", () => {
  test("keeps its order", () => {
    expect(parseList("read,write,api,!ftp")).toEqual(["read", "write", "api", "!ftp"]);
    expect(parseList("")).toEqual([]);
    expect(formatList(["*12", "*13"])).toBe("*12,*13");
    expect(formatList([])).toBe("");
  });

  test.each(["a,b", ""])("cannot hold %j", (element) => {
    expect(() => formatList(["x", element])).toThrow(InvalidValueError);
  });
});

describe("a duration", () => {
  test.each([
    ["1w2d3h4m5s", 788_645_000],
    ["1h22m53s", 4_973_000],
    ["01:22:53", 4_973_000],
    ["00:05:00", 300_000],
    ["10ms", 10],
    ["551us", 0.551],
    ["12ms345us", 12.345],
    ["0s", 0],
    ["90m", 5_400_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test("of none is no duration", () => {
    expect(parseDurationMs("none")).toBeUndefined();
  });

  test.each(["", "5", "5x", "s", "1s1h", "-1s", "1:2", "00:60:00", "1.5s"])("is not %j", (text) => {
    expect(() => parseDurationMs(text)).toThrow(InvalidValueError);
  });

  test("is written without the parts that are zero", () => {
    expect(formatDuration(788_645_000)).toBe("1w2d3h4m5s");
    expect(formatDuration(86_400_000)).toBe("1d");
    expect(formatDuration(0.551)).toBe("551us");
    expect(formatDuration(0)).toBe("0s");
    expect(() => formatDuration(-1)).toThrow(InvalidValueError);
    expect(() => formatDuration(Number.POSITIVE_INFINITY)).toThrow(InvalidValueError);
  });

  test("comes back the same", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000_000 }), (ms) => parseDurationMs(formatDuration(ms)) === ms),
    );
  });
});

describe("a date", () => {
  const seven = { year: 2026, month: 9, day: 26, hour: 3, minute: 0, second: 0 };
  const six = { year: 2004, month: 3, day: 30, hour: 6, minute: 11, second: 35 };

  test("is read and written in the form of RouterOS 7 and of RouterOS 6", () => {
    expect(parseDateTime("2026-09-26 03:00:00")).toEqual(seven);
    expect(parseDateTime("mar/30/2004 06:11:35")).toEqual(six);
    expect(formatDateTime(seven, "iso")).toBe("2026-09-26 03:00:00");
    expect(formatDateTime(six, "month-name")).toBe("mar/30/2004 06:11:35");
  });

  test.each([
    "",
    "2026-02-30 00:00:00",
    "foo/01/2020 00:00:00",
    "2026-09-26",
    "2026-09-26 24:00:00",
    "mar/00/2004 06:11:35",
  ])("is not %j", (text) => {
    expect(() => parseDateTime(text)).toThrow(InvalidValueError);
  });

  test("that is not on the calendar is not written", () => {
    expect(() => formatDateTime({ ...seven, day: 31 }, "iso")).toThrow(InvalidValueError);
  });
});

import { expect, test } from "vitest";
import { InvalidValueError } from "./errors.ts";
import { atLeast, compareVersions, parseVersion } from "./version.ts";

test("a version is read as RouterOS prints it", () => {
  expect(parseVersion("7.19.4 (stable)")).toEqual({
    major: 7,
    minor: 19,
    patch: 4,
    stage: "release",
    stageNumber: 0,
    channel: "stable",
  });
  expect(parseVersion("6.49.17 (long-term)")).toMatchObject({
    major: 6,
    minor: 49,
    patch: 17,
    channel: "long-term",
  });
  expect(parseVersion("7.21beta3")).toMatchObject({ minor: 21, patch: 0, stage: "beta", stageNumber: 3 });
});

test("versions stand in order of age, betas and release candidates before their release", () => {
  const inOrder = [
    "6.42.12",
    "6.43",
    "6.49.17",
    "7.1beta6",
    "7.1rc4",
    "7.1",
    "7.9.2",
    "7.18",
    "7.18.1",
    "7.24",
  ];
  const shuffled = [...inOrder].sort();
  expect(shuffled).not.toEqual(inOrder);
  expect(shuffled.sort((a, b) => compareVersions(parseVersion(a), parseVersion(b)))).toEqual(inOrder);
  expect(compareVersions(parseVersion("7.20 (stable)"), parseVersion("7.20.0 (testing)"))).toBe(0);
});

test("a feature is there from its version on", () => {
  expect(atLeast(parseVersion("7.19.4 (stable)"), "7.18")).toBe(true);
  expect(atLeast(parseVersion("7.18"), "7.18")).toBe(true);
  expect(atLeast(parseVersion("7.9.2"), "7.18")).toBe(false);
  expect(atLeast(parseVersion("7.18rc1"), "7.18")).toBe(false);
});

test.each(["", "seven", "7", "7.x", "7.19.4.1", "7.19; /user/add", "7.19 (<b>)"])(
  "%j is no version",
  (text) => {
    expect(() => parseVersion(text)).toThrow(InvalidValueError);
  },
);

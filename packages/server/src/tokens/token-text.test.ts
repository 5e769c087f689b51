import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { generateToken, hashToken, problemWithToken } from "./token-text.ts";

const ID = "a1b2c3d4-0000-4000-8000-000000000000";

test("a token is easy to recognise, carries the start of its id and ends in a checksum of the rest", () => {
  for (let count = 0; count < 200; count++) {
    const token = generateToken(ID).reveal();
    const [, body = "", checksum = ""] =
      /^(prv_a1b2c3d4_[A-Za-z0-9]{32})_([A-Za-z0-9]{6})$/.exec(token) ?? [];
    const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    expect([...checksum].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)).toBe(crc32(body));
    expect(problemWithToken(token)).toBeUndefined();
  }
});

test("no two tokens are the same, nor are their hashes", () => {
  const hashes = new Set(
    Array.from({ length: 5_000 }, () => hashToken(generateToken(ID).reveal()).toString("hex")),
  );
  expect(hashes.size).toBe(5_000);
});

test("a token somebody chooses needs 32 visible characters and is not quoted in the refusal", () => {
  expect(problemWithToken("x".repeat(32))).toBeUndefined();
  for (const wrong of [
    "canary",
    "canary".repeat(5),
    `${"canary ".repeat(6)}`,
    `${"canary".repeat(6)}\n`,
    `${"canary".repeat(6)}ü`,
    "canary".repeat(100),
  ]) {
    const problem = problemWithToken(wrong);
    expect(problem).toEqual(expect.any(String));
    expect(problem).not.toContain("canary");
  }
});

import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "./secret.ts";

test("a generated secret has the length and only the characters asked for", () => {
  expect(Secret.generate(24).reveal()).toMatch(/^[A-Za-z0-9]{24}$/);
  expect(Secret.generate(1000, "ab").reveal()).toMatch(/^[ab]{1000}$/);
  expect(Secret.generate(0).reveal()).toBe("");
});

test("every character of the alphabet is equally likely", () => {
  const counts = new Map<string, number>();
  const draws = 62 * 2_000;
  for (const character of Secret.generate(draws).reveal()) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  expect(counts.size).toBe(62);
  // Chi-squared with 61 degrees of freedom passes 140 once in ten million runs; `byte % 62` would give about 2000.
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0);
  expect(chiSquared).toBeLessThan(140);
});

test("two secrets are never the same", () => {
  const secrets = new Set(Array.from({ length: 10_000 }, () => Secret.generate(24).reveal()));
  expect(secrets.size).toBe(10_000);
});

test("a copy, a spread or an entry list of a secret holds nothing", () => {
  const secret = new Secret("canary-5512");
  expect(inspect([{ ...secret }, Object.entries(secret), Object.assign({}, secret)])).not.toContain("canary");
  expect(JSON.stringify(structuredClone({ secret }))).not.toContain("canary");
});

import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";

test("captured exchanges broken at random are read or refused, never more", async () => {
  const { sentences, refused } = await fuzz({ inputs: 20_000, seed: 1 });
  expect(sentences).toBeGreaterThan(10_000);
  expect(refused).toBeGreaterThan(100);
});

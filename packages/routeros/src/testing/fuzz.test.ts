import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";

test("captured exchanges broken at random are read or refused, never more", async () => {
  const { sentences, refused, kept, covered } = await fuzz({ inputs: 100_000, seed: 1 });
  expect(sentences).toBeGreaterThan(50_000);
  expect(refused).toBeGreaterThan(500);
  // It is led by what runs: some inputs reached code that no captured exchange reaches.
  expect(kept).toBeGreaterThan(5);
  expect(covered).toBeGreaterThan(1_000);
}, 120_000);

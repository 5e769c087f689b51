import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";

test("a hundred thousand inputs are read, written or refused, never more", { timeout: 120_000 }, async () => {
  const { outcomes, kept, coverage } = await fuzz({ inputs: 100_000, seed: 1 });
  for (const outcome of ["stream read", "stream refused", "login accepted", "script value", "value read"]) {
    expect(outcomes[outcome]).toBeGreaterThan(500);
  }
  expect(kept).toBeGreaterThan(5);
  expect(coverage["codec/decoder"]).toBeGreaterThan(0.9);
});

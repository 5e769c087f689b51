import fc from "fast-check";
import { expect, test } from "vitest";
import { waveEnds, waveSizes } from "./waves.ts";

test.each([
  [1, [1]],
  [10, [10]],
  [11, [1, 2, 11]],
  [20, [1, 5, 20]],
  [40, [1, 2, 10, 40]],
  [100, [1, 5, 25, 100]],
  [500, [1, 25, 125, 500]],
  [10_000, [1, 500, 2_500, 10_000]],
])("of %i sites %j have had their turn after each wave", (total, ends) => {
  expect(waveEnds(total)).toEqual(ends);
});

test("every wave has a site, the last one ends with all, and no wave before goes beyond its share", () => {
  for (let total = 1; total <= 10_000; total++) {
    const ends = waveEnds(total);
    expect(ends.at(-1)).toBe(total);
    expect(ends.every((end, wave) => end > (ends[wave - 1] ?? 0))).toBe(true);
    if (total <= 10) continue;
    expect(ends[0]).toBe(1);
    const [, quarter, twentieth] = ends.toReversed();
    expect(quarter).toBeLessThanOrEqual(total / 4);
    if (ends.length === 4) expect(twentieth).toBeLessThanOrEqual(total / 20);
  }
});

test("waves are as large as they are to be, those that are over as large as they were", () => {
  expect(waveSizes(500, [])).toEqual([1, 24, 100, 375]);
  expect(waveSizes(500, [1, 20])).toEqual([1, 24, 100, 375]);
  expect(waveSizes(1_500, [1, 24, 100, 375])).toEqual([1, 24, 100, 1_375]);
  expect(waveSizes(8, [0, 0, 2, 6])).toEqual([0, 0, 2, 6]);
});

test("every site is in the size of one wave, whatever was started", () => {
  const started = fc.array(fc.nat(30), { maxLength: 4 });
  fc.assert(
    fc.property(started, fc.nat(2_000), (members, waiting) => {
      const total = members.reduce((all, size) => all + size, waiting);
      const sizes = waveSizes(total, members);
      expect(sizes.reduce((all, size) => all + size, 0)).toBe(total);
      for (const [index, size] of sizes.entries()) expect(size).toBeGreaterThanOrEqual(members[index] ?? 0);
    }),
  );
});

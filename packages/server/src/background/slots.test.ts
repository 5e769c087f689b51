import { expect, test } from "vitest";
import { DueHeap } from "./due-heap.ts";
import { nextTurn, phaseOf } from "./slots.ts";

test("turns are a period apart, at the key's own place in it", () => {
  const phase = phaseOf("a");
  const first = nextTurn(1_000_000, 30_000, phase);
  expect(nextTurn(first, 30_000, phase)).toBeCloseTo(first + 30_000, 3);
  expect((first / 30_000) % 1).toBeCloseTo(phase, 6);
});

test("a run that was woken stands for a turn less than half a period away, and not for a later one", () => {
  expect(nextTurn(100, 100, 0.4)).toBe(240);
  expect(nextTurn(80, 100, 0.4)).toBe(140);
});

test("places are spread evenly over the period", () => {
  const places = Array.from({ length: 10_000 }, (_, i) => Math.floor(phaseOf(`site ${i}`) * 10));
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = places.filter((place) => place === tenth).length;
    expect(share).toBeGreaterThan(850);
    expect(share).toBeLessThan(1_150);
  }
});

test("the heap gives what is due in order, whatever was put in, moved and removed", () => {
  const heap = new DueHeap<{ name: number; dueAt: number; place: number }>();
  const items = Array.from({ length: 500 }, (_, name) => ({ name, dueAt: 0, place: -1 }));
  for (const item of items) heap.put(item, (item.name * 7919) % 1_000);
  for (const item of items) if (item.name % 3 === 0) heap.put(item, (item.name * 104_729) % 1_000);
  for (const item of items) if (item.name % 5 === 0) heap.remove(item);
  heap.remove(items[0] as (typeof items)[0]); // safe twice
  const left = items.filter(({ name }) => name % 5 !== 0).map(({ dueAt }) => dueAt);
  const taken: number[] = [];
  for (let item = heap.first(); item; item = heap.first()) {
    taken.push(item.dueAt);
    heap.remove(item);
  }
  expect(taken).toEqual(left.toSorted((a, b) => a - b));
  expect(heap.size).toBe(0);
});

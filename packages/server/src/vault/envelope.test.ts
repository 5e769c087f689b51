import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { openBox, sealBox } from "./envelope.ts";

const key = randomBytes(32);
const context = ["customer", "credentials", "password", "row"];
const plain = Buffer.from("s3cret", "utf8");

test("a box opens with its key and context and holds what was put in", () => {
  for (const size of [0, 1, 24, 100_000]) {
    const content = randomBytes(size);
    const box = sealBox(key, context, content);
    expect(box.length).toBe(29 + size);
    expect(openBox(key, context, box)).toEqual(content);
  }
});

test("a box does not open with any bit changed", () => {
  const box = sealBox(key, context, plain);
  for (let bit = 0; bit < box.length * 8; bit++) {
    const changed = Buffer.from(box);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(openBox(key, context, changed), `bit ${bit}`).toBeUndefined();
  }
});

test("a box does not open cut short, lengthened, or empty", () => {
  const box = sealBox(key, context, plain);
  for (let length = 0; length < box.length; length++) {
    expect(openBox(key, context, box.subarray(0, length))).toBeUndefined();
  }
  expect(openBox(key, context, Buffer.concat([box, Buffer.of(0)]))).toBeUndefined();
});

test("a box does not open with another key or another context", () => {
  const box = sealBox(key, context, plain);
  expect(openBox(randomBytes(32), context, box)).toBeUndefined();
  const others = [
    [],
    ["customer2", "credentials", "password", "row"],
    ["customer", "credential", "spassword", "row"],
    ["customer", "credentials", "password", "row", ""],
    [context.join("")],
  ];
  for (const other of others) expect(openBox(key, other, box)).toBeUndefined();
});

test("no nonce of a hundred thousand comes twice", () => {
  const nonces = new Set<string>();
  for (let count = 0; count < 100_000; count++) {
    nonces.add(sealBox(key, [], Buffer.alloc(0)).toString("latin1", 1, 13));
  }
  expect(nonces.size).toBe(100_000);
});

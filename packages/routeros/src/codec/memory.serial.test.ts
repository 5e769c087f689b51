import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { encodeSentence, SentenceDecoder } from "./index.ts";

const MIB = 1024 * 1024;

/** Bytes in use after everything that can go is gone. */
function inUse(): { buffers: number; heap: number } {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return { buffers: arrayBuffers, heap: heapUsed };
}

test("a sentence that is kept does not keep the chunk it came in", () => {
  const filler = Array.from({ length: 15 }, () => encodeSentence(["!re", `=filler=${"x".repeat(4000)}`]));
  const before = inUse();
  const kept = [];
  for (let i = 0; i < 500; i++) {
    const decoder = new SentenceDecoder();
    kept.push(decoder.push(Buffer.concat([encodeSentence(["!re", `=n=${i}`]), ...filler]))[0]);
  }
  const after = inUse();
  expect(kept.at(-1)?.attribute("n")).toBe("499");
  // The chunks were 30 MiB together.
  expect(after.buffers - before.buffers).toBeLessThan(2 * MIB);
  expect(after.heap - before.heap).toBeLessThan(4 * MIB);
});

test("a value that is kept does not keep the file that came beside it", () => {
  const name = "a-name-longer-than-the-13-characters-V8-copies.rsc";
  const file = encodeSentence(["!re", `=name=${name}`, `=contents=${"y".repeat(500_000)}`]);
  const before = inUse();
  const kept = [];
  for (let i = 0; i < 100; i++) kept.push(new SentenceDecoder().push(file)[0]?.attributes().name);
  const after = inUse();
  expect(kept.every((each) => each === name)).toBe(true);
  // The files were 48 MiB together.
  expect(after.heap - before.heap).toBeLessThan(4 * MIB);
});

test("a router that invents names does not make the decoder keep them", () => {
  const decoder = new SentenceDecoder();
  const invent = (i: number) => {
    const names = Array.from({ length: 100 }, (_, k) => `=name-${i}-${k}-${"x".repeat(40)}=value-${i}-${k}`);
    const bytes = encodeSentence(["!re", ...names]);
    decoder.read(bytes, bytes.length, (sentence) => sentence.attributes());
  };
  for (let i = 0; i < 100; i++) invent(i);
  const before = inUse();
  for (let i = 100; i < 1_000; i++) invent(i);
  const after = inUse();
  // 90 000 names of 50 bytes were invented meanwhile.
  expect(after.heap - before.heap).toBeLessThan(MIB);
});

test("a menu that is read again and again leaves nothing behind", () => {
  const decoder = new SentenceDecoder();
  const read = (round: number) => {
    const rows = Array.from({ length: 100 }, (_, i) =>
      encodeSentence([
        "!re",
        `.tag=${round}`,
        `=.id=*${i}`,
        `=bytes=${round * i}`,
        `=comment=customer ${round} ${i}`,
      ]),
    );
    const bytes = Buffer.concat(rows);
    decoder.read(bytes, bytes.length, (sentence) => sentence.attributes());
  };
  for (let round = 0; round < 200; round++) read(round);
  const before = inUse();
  for (let round = 200; round < 2_000; round++) read(round);
  const after = inUse();
  // 180 000 rows, some 20 MiB, came meanwhile.
  expect(after.heap - before.heap).toBeLessThan(MIB);
  expect(after.buffers - before.buffers).toBeLessThan(MIB);
});

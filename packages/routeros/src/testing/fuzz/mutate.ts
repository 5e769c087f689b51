/** Inputs from other inputs, at random; the same numbers make the same input. */

/** Inputs grow by splicing; beyond this they only get slower. */
export const MAX_BYTES = 2048;

/** A whole number from 0 to one below the bound. */
export type Random = (below: number) => number;

/** Random numbers (mulberry32) from a start that differs by seed and input. */
export function randomFrom(seed: number, input: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) + Math.imul(input + 1, 0x85ebca6b)) | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Bytes at which a length prefix changes its form or is refused, and those the words' kinds are told by. */
const TELLING = [
  0, 1, 2, 4, 5, 0x22, 0x24, 0x2e, 0x3d, 0x3f, 0x5c, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xe0, 0xef, 0xf0, 0xf1,
  0xf8, 0xff,
];

type Mutation = (bytes: Buffer, at: number, random: Random, corpus: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (bytes, at, random) => withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random(8))),
  (bytes, at, random) => withByte(bytes, at, pick(TELLING, random) ?? 0),
  (bytes, at, random) => withByte(bytes, at, random(256)),
  (bytes, at, random) => withByte(bytes, prefixBefore(bytes, at), pick(TELLING, random) ?? 0),
  (bytes, at, random) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(16))]),
  (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random(8), random(256)), bytes.subarray(at)]),
  (bytes, at, random) => Buffer.concat([bytes, bytes.subarray(at, at + random(200))]),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, random, corpus) =>
    Buffer.concat([bytes.subarray(0, at), pick(corpus, random) ?? Buffer.alloc(0)]),
];

/** One of the corpus, changed in up to three places. */
export function mutate(corpus: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(pick(corpus, random) ?? []);
  for (let times = random(4); times > 0 && bytes.length > 0; times--) {
    const mutation = pick(MUTATIONS, random);
    if (mutation) bytes = mutation(bytes, random(bytes.length), random, corpus).subarray(0, MAX_BYTES);
  }
  return bytes;
}

/** Where the length prefix of the word at `at` stands, as long as those before it are short. */
function prefixBefore(bytes: Buffer, at: number): number {
  let prefix = 0;
  for (let next = 0; next <= at; next += 1 + (bytes[next] ?? 0)) prefix = next;
  return prefix;
}

function pick<T>(from: readonly T[], random: Random): T | undefined {
  return from[random(from.length)];
}

function withByte(bytes: Buffer, at: number, byte: number): Buffer {
  bytes[at] = byte;
  return bytes;
}

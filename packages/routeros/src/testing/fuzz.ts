/**
 * Fuzzing what reads a router's bytes: captured exchanges, broken at random, go through decoder, sentence, values and
 * multiplexer. Inputs that run new code are kept and broken further. Reproducible: input `n` of seed `s` is the same in
 * every run of the same code.
 *
 * Held for every input: nothing but our own errors, the same sentences however the bytes are cut, what was read
 * encodes to bytes that read the same, every command is settled, and all of it within {@link HANG_MS}.
 */

import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { encodeSentence, type Sentence, SentenceDecoder } from "../codec/index.ts";
import { ProtocolError, RouterOsError } from "../errors.ts";
import { Multiplexer } from "../multiplexer.ts";
import { isId, parseBoolean, parseDateTime, parseDurationMs, parseId, parseList } from "../values.ts";
import { parseVersion } from "../version.ts";
import { BlockCoverage } from "./coverage.ts";

/** Longer than any input may take, ms. */
const HANG_MS = 50;
/** Inputs grow by splicing; beyond this they only get slower. */
const MAX_BYTES = 2048;
/** Bytes at which a length prefix changes its form or is refused, and those the words' kinds are told by. */
const TELLING = [
  0, 1, 2, 4, 5, 0x2e, 0x3d, 0x3f, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xe0, 0xef, 0xf0, 0xf1, 0xf8, 0xff,
];

export interface FuzzResult {
  readonly inputs: number;
  /** Sentences read, and inputs that ended in a ProtocolError: both have to be many, or nothing was tested. */
  readonly sentences: number;
  readonly refused: number;
  /** Longest time one input took, the machine's other work included, ms. */
  readonly slowestMs: number;
  /** Inputs that ran code no other had run, and how many characters of code ran in the end. */
  readonly kept: number;
  readonly covered: number;
}

/** An input that breaks a promise; `bytes` hexadecimal. */
export class FuzzFailure extends Error {
  constructor(why: string, bytes: Uint8Array, seed: number, input: number, cause?: unknown) {
    super(`${why} (seed ${seed}, input ${input}): ${Buffer.from(bytes).toString("hex")}`, { cause });
  }
}

/** Inputs between two looks at the coverage; a look costs as much as some of them. */
const BATCH = 500;
/** Inputs of which coverage is asked: what they don't reach, more of the same seldom do, and V8 counts at a price. */
const GUIDED_INPUTS = 20_000;

/**
 * Try `inputs` broken streams. Inputs that run code no other has run become starting points of later ones.
 * @throws FuzzFailure the first that breaks a promise
 */
export async function fuzz(options: { inputs: number; seed: number; onProgress?: (done: number) => void }) {
  const { inputs, seed, onProgress = () => {} } = options;
  const corpus = captured();
  const tally = { sentences: 0, refused: 0, slowestMs: 0, kept: 0, covered: 0 };
  const guided = Math.min(inputs, GUIDED_INPUTS);
  {
    await using coverage = await BlockCoverage.start("/routeros/src/");
    for (const [i, bytes] of corpus.entries()) await tryInput(bytes, seed, -1 - i, tally);
    coverage.learn(await coverage.take());
    for (let first = 0; first < guided; first += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, guided - first) }, (_, i) =>
        mutate(corpus, randomFrom(seed, first + i)),
      );
      for (const [i, bytes] of batch.entries()) await tryInput(bytes, seed, first + i, tally);
      const news = coverage.news(await coverage.take()) > 0;
      const found = news ? await telling(batch, seed, coverage) : [];
      corpus.push(...found);
      tally.kept += found.length;
      await nextTurn();
    }
    tally.covered = coverage.size;
  }
  onProgress(guided);
  for (let input = guided; input < inputs; input++) {
    await tryInput(mutate(corpus, randomFrom(seed, input)), seed, input, tally);
    // What the multiplexers left for the next turn piles up until there is one.
    if (input % 1_000 === 999) await nextTurn();
    if (input % 100_000 === 99_999) onProgress(input + 1);
  }
  return { inputs, ...tally } satisfies FuzzResult;
}

async function tryInput(bytes: Buffer, seed: number, input: number, tally: Tally): Promise<void> {
  const random = () => randomFrom(seed, -1 - input);
  try {
    let took = await timed(() => check(bytes, random(), tally));
    // Another process may have had the processor: what is really slow is slow every time.
    for (let again = 0; took > HANG_MS && again < 10; again++) {
      took = await timed(() => check(bytes, random(), tally));
    }
    if (took > HANG_MS) throw new Error(`it takes more than ${HANG_MS} ms`);
    tally.slowestMs = Math.max(tally.slowestMs, took);
  } catch (error) {
    throw new FuzzFailure(error instanceof Error ? error.message : String(error), bytes, seed, input, error);
  }
}

/** Of inputs that ran something new, those that did: halves that run nothing new are left out as they are. */
async function telling(batch: readonly Buffer[], seed: number, coverage: BlockCoverage): Promise<Buffer[]> {
  const aside = { sentences: 0, refused: 0, slowestMs: 0, kept: 0, covered: 0 };
  for (const bytes of batch) await tryInput(bytes, seed, 0, aside);
  const ran = await coverage.take();
  if (coverage.news(ran) === 0) return [];
  if (batch.length === 1) {
    coverage.learn(ran);
    return [...batch];
  }
  const half = batch.length >> 1;
  const first = await telling(batch.slice(0, half), seed, coverage);
  return [...first, ...(await telling(batch.slice(half), seed, coverage))];
}

/** The bytes of every captured reply and command, and all of them in a row. */
function captured(): Buffer[] {
  const file = new URL("./transcripts.json", import.meta.url);
  const transcripts: { sent: string[]; received: string[][] }[] = JSON.parse(readFileSync(file, "utf8"));
  return transcripts
    .flatMap(({ sent, received }) => [[sent], received])
    .map((sentences) => Buffer.concat(sentences.filter((words) => words.length > 0).map(encodeSentence)))
    .filter((bytes) => bytes.length > 0)
    .map((bytes) => bytes.subarray(0, MAX_BYTES));
}

type Random = (below: number) => number;

/** Whole numbers below a bound (mulberry32), from a start that differs by seed and input. */
function randomFrom(seed: number, input: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) + Math.imul(input + 1, 0x85ebca6b)) | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const MUTATIONS: readonly ((
  bytes: Buffer,
  at: number,
  random: Random,
  corpus: readonly Buffer[],
) => Buffer)[] = [
  (bytes, at, random) => withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random(8))),
  (bytes, at, random) => withByte(bytes, at, TELLING[random(TELLING.length)] ?? 0),
  (bytes, at, random) => withByte(bytes, at, random(256)),
  (bytes, at, random) => withByte(bytes, prefixBefore(bytes, at), TELLING[random(TELLING.length)] ?? 0),
  (bytes, at, random) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(16))]),
  (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random(8), random(256)), bytes.subarray(at)]),
  (bytes, at, random) => Buffer.concat([bytes, bytes.subarray(at, at + random(200))]),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, random, corpus) => Buffer.concat([bytes.subarray(0, at), pick(corpus, random)]),
];

function mutate(corpus: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(pick(corpus, random));
  for (let times = random(6); times > 0 && bytes.length > 0; times--) {
    const mutation = MUTATIONS[random(MUTATIONS.length)];
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

function pick(corpus: readonly Buffer[], random: Random): Buffer {
  return corpus[random(corpus.length)] ?? Buffer.alloc(0);
}

function withByte(bytes: Buffer, at: number, byte: number): Buffer {
  bytes[at] = byte;
  return bytes;
}

type Tally = { -readonly [Name in Exclude<keyof FuzzResult, "inputs">]: number };

async function check(bytes: Buffer, random: Random, tally: Tally): Promise<void> {
  const whole = decode([bytes]);
  const cut = random(bytes.length + 1);
  const parts = decode([bytes.subarray(0, cut), bytes.subarray(cut)]);
  if (!isDeepStrictEqual(parts.words, whole.words) || parts.isRefused !== whole.isRefused) {
    throw new Error(`cut at ${cut} it reads otherwise`);
  }
  tally.sentences += whole.sentences.length;
  tally.refused += whole.isRefused ? 1 : 0;
  for (const sentence of whole.sentences) readAll(sentence);
  await answer(whole.sentences);
}

function decode(chunks: readonly Buffer[]) {
  const decoder = new SentenceDecoder();
  const sentences: Sentence[] = [];
  let isRefused = false;
  try {
    for (const chunk of chunks) sentences.push(...decoder.push(chunk));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    sentences.push(...error.decoded);
    isRefused = true;
  }
  return { sentences, words: sentences.map((sentence) => sentence.words()), isRefused };
}

/** Every way to look at a sentence, and the way back to bytes. */
function readAll(sentence: Sentence): void {
  const bytes = Array.from({ length: sentence.length }, (_, i) => sentence.bytes(i));
  const [again] = decode([encodeSentence(bytes)]).words;
  if (!isDeepStrictEqual(again, sentence.words())) throw new Error("encoded again it reads otherwise");
  void [sentence.first, sentence.tag, sentence.queries(), sentence.texts()];
  for (const [name, value] of Object.entries(sentence.attributes())) {
    sentence.attribute(name);
    for (const parse of [
      parseBoolean,
      parseDurationMs,
      parseDateTime,
      parseId,
      parseList,
      parseVersion,
      isId,
    ]) {
      orOurError(() => parse(value));
    }
  }
}

/** Two commands are on their way while it comes: whatever it is, both end, and no other way than told. */
async function answer(sentences: readonly Sentence[]): Promise<void> {
  const link = { write: () => {}, pause: () => {}, resume: () => {} };
  const bounds = { timeoutMs: Number.POSITIVE_INFINITY, maxReplyRows: 50, maxReplyBytes: 10_000 };
  const multiplexer = new Multiplexer(link, bounds);
  const results = [
    multiplexer.startUntagged(["/login", "=name=x", "=password=hunter2"]),
    multiplexer.start(["/ip/address/print"]),
  ];
  const settled = Promise.allSettled(results);
  let reason: RouterOsError | undefined;
  for (const sentence of sentences) reason ??= multiplexer.receive(sentence);
  multiplexer.failAll(reason);
  for (const result of await settled) {
    if (result.status === "rejected" && !(result.reason instanceof RouterOsError)) throw result.reason;
  }
}

function orOurError(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RouterOsError)) throw error;
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A router's bytes through decoder, sentence and multiplexer. */

import { isDeepStrictEqual } from "node:util";
import { DecodeError, encodeSentence, type Sentence, SentenceDecoder } from "../../codec/index.ts";
import { ProtocolError, RouterOsError } from "../../errors.ts";
import { Multiplexer } from "../../multiplexer.ts";
import type { Random } from "./mutate.ts";
import { attributesOf, type Read, readStream, tagOf, textOf } from "./reference.ts";
import { bytesOf, captured } from "./seeds.ts";
import type { Target } from "./target.ts";

/** What the commands of {@link endAll} are answered with; captured tags are other ones. */
const TAGGED = [
  [
    ["!re", ".tag=1", "=.id=*1"],
    ["!empty", ".tag=1"],
    ["!done", ".tag=1", "=ret=*5"],
  ],
  [
    ["!trap", ".tag=1", "=category=1", "=message=no such command"],
    ["!trap", "=message=x"],
    ["!done", ".tag=1"],
  ],
  [
    ["!re", "=.id=*1", ".tag=2", "=.dead=true"],
    ["!re", ".tag=2"],
    ["!done", ".tag=2"],
  ],
];

/**
 * Held: the sentences are those that the plainest reader finds, however the bytes are cut; encoded again they are the
 * same bytes; every command ends, and so does a stream.
 */
export const stream: Target = {
  seeds: [...captured(), ...TAGGED.map(bytesOf)],
  async check(bytes, random) {
    const expected = readStream(bytes);
    const read = decode([bytes]);
    compare(read, expected);
    compare(decode(cut(bytes, random)), expected);
    await endAll(read.sentences);
    if (read.isRefused) return "stream refused";
    return read.sentences.length > 0 ? "stream read" : "stream unfinished";
  },
};

interface Decoded {
  readonly sentences: readonly Sentence[];
  readonly isRefused: boolean;
}

function decode(chunks: readonly Buffer[]): Decoded {
  const decoder = new SentenceDecoder();
  const sentences: Sentence[] = [];
  try {
    for (const chunk of chunks) sentences.push(...decoder.push(chunk));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const decoded = error instanceof DecodeError ? error.decoded : [];
    return { sentences: [...sentences, ...decoded], isRefused: true };
  }
  return { sentences, isRefused: false };
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const [first, second] = [random(bytes.length + 1), random(bytes.length + 1)].toSorted((a, b) => a - b);
  return [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
}

function compare(read: Decoded, expected: Read): void {
  if (read.isRefused !== expected.isRefused) throw new Error("it is not refused as a plain reader refuses");
  if (read.sentences.length !== expected.sentences.length)
    throw new Error("a plain reader finds more or fewer");
  for (const [i, sentence] of read.sentences.entries()) {
    compareSentence(sentence, expected.sentences[i] ?? []);
  }
}

function compareSentence(sentence: Sentence, words: readonly Buffer[]): void {
  const bytes = Array.from({ length: sentence.length }, (_, i) => Buffer.from(sentence.bytes(i)));
  if (!Buffer.concat([encodeSentence(bytes)]).equals(encodeSentence(words))) throw new Error("other bytes");
  const texts = words.map(textOf);
  const rest = texts.slice(1);
  same("words", sentence.words(), texts);
  same("first", sentence.first, texts[0]);
  const tag = tagOf(words);
  same("tag", sentence.tag, tag);
  for (const other of ["", "1", "12"]) same("tag", sentence.hasTag(other), other === (tag ?? ""));
  same(
    "queries",
    sentence.queries(),
    rest.filter((text) => text.startsWith("?")),
  );
  same(
    "texts",
    sentence.texts(),
    rest.filter((text) => !/^(?:\?|=[^=]*=|\.tag=)/.test(text)),
  );
  const attributes = attributesOf(words);
  const row = sentence.attributes();
  same("attributes", new Map(Object.entries(row)), attributes);
  if (Object.getPrototypeOf(Object.getPrototypeOf(row)) !== null) throw new Error("a row inherits something");
  for (const [name, value] of attributes) same("attribute", sentence.attribute(name), value);
}

function same(what: string, seen: unknown, expected: unknown): void {
  if (seen !== expected && !isDeepStrictEqual(seen, expected))
    throw new Error(`a plain reader reads other ${what}`);
}

/** Two commands and a stream are on their way while it comes: whatever it is, all end, and no other way than told. */
async function endAll(sentences: readonly Sentence[]): Promise<void> {
  const link = { write: () => {}, pause: () => {}, resume: () => {} };
  const bounds = { timeoutMs: Number.POSITIVE_INFINITY, maxReplyRows: 50, maxReplyBytes: 10_000 };
  const multiplexer = new Multiplexer(link, bounds);
  const results = [
    multiplexer.startUntagged(["/login", "=name=x", "=password=hunter2"]),
    multiplexer.start(["/ip/address/print"]),
  ];
  const rows = multiplexer.startStream(["/ip/address/listen"], undefined);
  const settled = Promise.allSettled([...results, all(rows)]);
  let reason: RouterOsError | undefined;
  for (const sentence of sentences) reason ??= multiplexer.receive(sentence);
  multiplexer.failAll(reason);
  for (const result of await settled) {
    if (result.status === "rejected" && !(result.reason instanceof RouterOsError)) throw result.reason;
  }
}

async function all(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

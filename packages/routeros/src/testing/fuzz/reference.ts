/** The protocol once more, as plainly as it can be written, to compare with. */

import { DEFAULT_DECODER_LIMITS } from "../../codec/index.ts";

const MAX_EMPTY_SENTENCES = 1_000;

export interface Read {
  /** Words of the complete sentences. */
  readonly sentences: readonly (readonly Buffer[])[];
  /** Whether a byte follows that nobody may send. */
  readonly isRefused: boolean;
}

/** Sentences of a stream that ends, or is refused, where it will. */
export function readStream(bytes: Buffer): Read {
  const sentences: Buffer[][] = [];
  let words: Buffer[] = [];
  let empty = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = prefixSize(bytes.readUInt8(at));
    if (size === 0) return { sentences, isRefused: true };
    if (at + size > bytes.length) break;
    const length = lengthOf(bytes.subarray(at, at + size));
    if (length > DEFAULT_DECODER_LIMITS.maxWordBytes) return { sentences, isRefused: true };
    at += size;
    if (at + length > bytes.length) break;
    if (length > 0) words.push(bytes.subarray(at, at + length));
    else if (words.length > 0) {
      sentences.push(words);
      words = [];
      empty = 0;
    } else if (++empty > MAX_EMPTY_SENTENCES) return { sentences, isRefused: true };
    at += length;
  }
  return { sentences, isRefused: false };
}

function prefixSize(first: number): number {
  return [0x80, 0xc0, 0xe0, 0xf0, 0xf1].findIndex((beyond) => first < beyond) + 1;
}

function lengthOf(prefix: Buffer): number {
  const digits = [...prefix].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Number.parseInt(prefix.length === 1 ? digits : digits.slice(prefix.length), 2);
}

/** UTF-8 where it is valid, otherwise one character per byte. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

/** The attributes among the words behind the first. */
export function attributesOf(words: readonly Buffer[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const word of words.slice(1)) {
    const nameEnd = word.indexOf("=", 1);
    if (word[0] === 0x3d && nameEnd !== -1) {
      attributes.set(textOf(word.subarray(1, nameEnd)), textOf(word.subarray(nameEnd + 1)));
    }
  }
  return attributes;
}

/** The label: what follows `.tag=` in the first word behind the first that begins so; undefined for nothing. */
export function tagOf(words: readonly Buffer[]): string | undefined {
  const word = words.slice(1).find((one) => one.subarray(0, 5).equals(Buffer.from(".tag=")));
  return word && word.length > 5 ? textOf(word.subarray(5)) : undefined;
}

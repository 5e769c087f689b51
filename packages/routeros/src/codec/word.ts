/**
 * A word: its text, its bytes, and what its first byte says it is.
 *
 * RouterOS stores bytes and does not care about their encoding; comments written by WinBox on Windows are in
 * that PC's code page. So text is UTF-8 where the bytes are valid UTF-8, and otherwise one character per byte
 * (latin1), which loses nothing. Whoever needs the bytes themselves takes them from `Sentence.bytes`.
 */

import { isUtf8 } from "node:buffer";
import { ProtocolError } from "../errors.ts";

/** What a client or a router puts into a sentence: text (sent as UTF-8) or raw bytes. */
export type Word = string | Uint8Array;

/** Code units of the characters a word's kind is told by. */
export const EQUALS = 0x3d;
export const DOT = 0x2e;
export const QUESTION_MARK = 0x3f;

/** The word that labels a command and all its replies: `.tag=<text>`. */
export const TAG_PREFIX = ".tag=";

/** Any character outside ASCII; global, to search on from a place. */
const NOT_ASCII = /[\x80-\xff]/g;

/** Where the first byte outside ASCII stands in bytes written one per character, from `start`; Infinity without. */
export function firstNotAscii(latin1: string, start = 0): number {
  NOT_ASCII.lastIndex = start;
  return NOT_ASCII.test(latin1) ? NOT_ASCII.lastIndex - 1 : Number.POSITIVE_INFINITY;
}

/**
 * Text of a word (or of a value) given as one character per byte: decoded as UTF-8 where that is valid, else as
 * it is. The result shares no memory with what it was cut from.
 */
export function textOf(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}

/**
 * Bytes of a word on the wire, without its length prefix.
 * @throws ProtocolError for an empty word, which would end the sentence early
 */
export function wordSize(word: Word): number {
  const size = typeof word === "string" ? Buffer.byteLength(word) : word.byteLength;
  if (size === 0) throw new ProtocolError("an empty word would end the sentence", { operation: "encode" });
  return size;
}

/** The word `=name=value`. */
export function attributeWord(name: string, value: Word): Word {
  if (typeof value === "string") return `=${name}=${value}`;
  return Buffer.concat([Buffer.from(`=${name}=`), value]);
}

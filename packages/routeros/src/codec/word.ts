/**
 * A word: its text, its bytes, and what its first byte says it is.
 *
 * RouterOS stores bytes and does not care about their encoding; comments written by WinBox on Windows are in
 * that PC's code page. So text is UTF-8 where the bytes are valid UTF-8, and otherwise one character per byte
 * (latin1), which loses nothing. Whoever needs the bytes themselves takes them from `Sentence.bytes`.
 */

import { isUtf8 } from "node:buffer";

/** What a client or a router puts into a sentence: text (sent as UTF-8) or raw bytes. */
export type Word = string | Uint8Array;

/** Code units of the characters a word's kind is told by. */
export const EQUALS = 0x3d;
export const DOT = 0x2e;
export const QUESTION_MARK = 0x3f;

/** The word that labels a command and all its replies: `.tag=<text>`. */
export const TAG_PREFIX = ".tag=";

/** Any character outside ASCII; global, to search on from a place. */
const NOT_ASCII = /[\u0080-\uffff]/g;

/** Where the first character outside ASCII stands in a text, from `start`; Infinity without one. */
export function firstNotAscii(text: string, start = 0): number {
  NOT_ASCII.lastIndex = start;
  return NOT_ASCII.test(text) ? NOT_ASCII.lastIndex - 1 : Number.POSITIVE_INFINITY;
}

/** Whether a text is its own UTF-8 bytes. */
export function isAsciiText(text: string): boolean {
  return firstNotAscii(text) === Number.POSITIVE_INFINITY;
}

/**
 * Text of a word (or of a value) given as one character per byte: decoded as UTF-8 where that is valid, else as
 * it is. The result shares no memory with what it was cut from.
 */
export function textOf(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}

/** The bytes of a word, one character per byte. */
export function latin1Of(word: Word): string {
  if (typeof word === "string") return isAsciiText(word) ? word : Buffer.from(word).toString("latin1");
  return Buffer.from(word.buffer, word.byteOffset, word.byteLength).toString("latin1");
}

/** The word `=name=value`. */
export function attributeWord(name: string, value: Word): Word {
  if (typeof value === "string") return `=${name}=${value}`;
  return Buffer.concat([Buffer.from(`=${name}=`), value]);
}

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
function isAsciiText(text: string): boolean {
  return firstNotAscii(text) === Number.POSITIVE_INFINITY;
}

/**
 * A copy of a text that was cut out of a longer one. V8 lets substrings from 13 characters on share the longer
 * one's characters and so keeps it alive; gluing something on and cutting it off again makes them its own.
 */
export function ownText(part: string): string {
  return part.length < 13 ? part : ` ${part}`.slice(1);
}

/** Text of a word (or of a value) given as one character per byte: UTF-8 where that is valid, else as it is. */
export function textOf(latin1: string): string {
  if (isAsciiText(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : latin1;
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

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

/** Bytes before the value of the word from `start` to `end`: of `=name=` or `.tag=`; 0 where it is neither. */
export function beginningSize(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === EQUALS) {
    for (let at = start + 1; at < end; at++) if (bytes[at] === EQUALS) return at + 1 - start;
  }
  const size = TAG_PREFIX.length;
  const isTag =
    bytes[start] === DOT && bytes.toString("latin1", start, Math.min(start + size, end)) === TAG_PREFIX;
  return isTag ? size : 0;
}

/** Any character outside ASCII. */
const NOT_ASCII = /[\u0080-\uffff]/;

/** Text of a word (or of a value) given as bytes: UTF-8 where that is valid, otherwise one character per byte. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start, end);
  // What is not UTF-8 becomes a replacement character, but a router may have sent one as such.
  if (!text.includes("\ufffd") || isUtf8(bytes.subarray(start, end))) return text;
  return bytes.toString("latin1", start, end);
}

/** The bytes of a word, one character per byte. */
export function latin1Of(word: Word): string {
  if (typeof word === "string") return NOT_ASCII.test(word) ? Buffer.from(word).toString("latin1") : word;
  return Buffer.from(word.buffer, word.byteOffset, word.byteLength).toString("latin1");
}

/** The word `=name=value`. */
export function attributeWord(name: string, value: Word): Word {
  if (typeof value === "string") return `=${name}=${value}`;
  return Buffer.concat([Buffer.from(`=${name}=`), value]);
}

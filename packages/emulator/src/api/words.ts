import { isUtf8 } from "node:buffer";
import type { Row, Sentence } from "@portreeve/routeros";

/**
 * RouterOS stores bytes; comments written by WinBox on Windows are not UTF-8. Inside the emulator a word that
 * isn't valid UTF-8 keeps each byte from 0x80 as the lone surrogate 0xDC00 + byte, which no valid text holds, so
 * that what goes out is byte for byte what came in.
 */
const ESCAPE = 0xdc00;

/** Text of every word, reversible by `wordBytes`. */
export function readWords(sentence: Sentence): string[] {
  return sentence.words().map((word, index) => {
    const bytes = sentence.bytes(index);
    return isUtf8(bytes) ? word : bytesText(bytes);
  });
}

/** The text that stands for these bytes inside the emulator, reversible by `wordBytes`. */
export function bytesText(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString("utf8");
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte)).join("");
}

/** The bytes of a word as they go on the wire. */
export function wordBytes(word: string): string | Buffer {
  if (word.isWellFormed()) return word;
  const parts = Array.from(word, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? Buffer.of(code - ESCAPE) : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

/** A request taken apart. */
export interface Request {
  /** "/ip/service/print" */
  readonly command: string;
  /** undefined without `.tag=` or with an empty one: the replies are untagged then. */
  readonly tag: string | undefined;
  readonly attributes: Row;
  /** Query words with their `?`, in their order. */
  readonly queries: readonly string[];
}

export function readRequest(words: readonly string[]): Request {
  const attributes: Record<string, string> = Object.create(null);
  let tag: string | undefined;
  for (const word of words.slice(1)) {
    if (word.startsWith(".tag=")) tag = word.slice(5) || undefined;
    const end = word.indexOf("=", 1);
    if (word.startsWith("=") && end > 0) attributes[word.slice(1, end)] = word.slice(end + 1);
  }
  const queries = words.slice(1).filter((word) => word.startsWith("?"));
  return { command: words[0] ?? "", tag, attributes, queries };
}

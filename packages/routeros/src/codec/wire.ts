/** A run of bytes off the wire and the text that is cut out of it. */

import { isAscii } from "node:buffer";
import { textOf } from "./word.ts";

/** Shorter pieces V8 copies out of a longer text; from this length on they would share all of it, and so keep it. */
const SHARED_LENGTH = 13;
/** Of more bytes no text is made for the sake of the short pieces in it. */
const MAX_TEXT_BYTES = 64 * 1024;

/**
 * Many sentences lie in one, and most pieces of them are short. One text of all of it, made by one native call, and
 * short pieces cut out of it take half the time of a native call for each. No piece keeps the others alive.
 */
export class Wire {
  readonly bytes: Buffer;
  #isAscii: boolean | undefined;
  #text: string | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Text of the bytes from `start` to `end`: UTF-8 where they are valid UTF-8, otherwise one character per byte. */
  text(start: number, end: number): string {
    this.#isAscii ??= isAscii(this.bytes);
    if (!this.#isAscii && !isAsciiPart(this.bytes, start, end)) return textOf(this.bytes, start, end);
    if (end - start >= SHARED_LENGTH || this.bytes.length > MAX_TEXT_BYTES) {
      return this.bytes.toString("latin1", start, end);
    }
    this.#text ??= this.bytes.toString("latin1");
    return this.#text.slice(start, end);
  }
}

function isAsciiPart(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) >= 0x80) return false;
  return true;
}

/** The same bytes, to be read four at a time. */
export function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

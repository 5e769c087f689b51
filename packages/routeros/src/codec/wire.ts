/** A run of bytes off the wire and the text that is cut out of it. */

import { isAscii } from "node:buffer";
import { textOf } from "./word.ts";

/** Shorter pieces V8 copies out of a longer text; from this length on they would share all of it, and so keep it. */
const SHARED_LENGTH = 13;
/** Of more bytes no text is made for the sake of the short pieces in it. */
const MAX_TEXT_BYTES = 64 * 1024;

/** Whether fewer bytes are all ASCII is not asked: looking at the pieces takes less time than a native call. */
const FEW_BYTES = 256;

/**
 * What `toString("latin1", start, end)` ends in, without its look at the arguments: a menu is read in 4 % less time.
 * It is not documented, but every Node has it and others rely on it, busboy for one.
 */
interface SliceableBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
}

/**
 * Many sentences lie in one, and most pieces of them are short. One native call makes a text of all of it, out of which
 * a short piece is cut in a third of the time of a native call. No piece keeps the others alive.
 */
export class Wire {
  readonly bytes: SliceableBuffer;
  readonly #size: number;
  #isAscii: boolean | undefined;
  #text: string | undefined;

  /** The first `size` bytes. */
  constructor(bytes: Buffer, size: number) {
    this.bytes = bytes as SliceableBuffer;
    this.#size = size;
  }

  /** Text of the bytes from `start` to `end`: UTF-8 where they are valid UTF-8, otherwise one character per byte. */
  text(start: number, end: number): string {
    this.#isAscii ??= this.#size > FEW_BYTES && isAscii(this.bytes.subarray(0, this.#size));
    if (!this.#isAscii && !isAsciiPart(this.bytes, start, end)) return textOf(this.bytes, start, end);
    if (end - start >= SHARED_LENGTH || this.#size > MAX_TEXT_BYTES) {
      return this.bytes.latin1Slice(start, end);
    }
    this.#text ??= this.bytes.latin1Slice(0, this.#size);
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

/**
 * The length prefix of a word: one to five bytes, most significant byte first.
 *
 * | length                  | bytes | first byte |
 * | ----------------------- | ----- | ---------- |
 * | 0 .. 0x7F               | 1     | 00..7F     |
 * | 0x80 .. 0x3FFF          | 2     | 80..BF     |
 * | 0x4000 .. 0x1FFFFF      | 3     | C0..DF     |
 * | 0x200000 .. 0xFFFFFFF   | 4     | E0..EF     |
 * | 0x10000000 .. 0xFFFFFFFF| 5     | F0         |
 *
 * Source: MikroTik manual, "API", section on API words.
 */

import { ProtocolError } from "../errors.ts";

const MAX_LENGTH = 0xffffffff;

/** The bits that tell the form, by size of the prefix in bytes. */
const FORM_MARK = [0, 0, 0x80, 0xc0, 0xe0, 0xf0] as const;

function prefixSize(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x200000) return 3;
  if (length < 0x10000000) return 4;
  return 5;
}

/**
 * The length prefix of a word, in the shortest of the five forms.
 * @param length bytes in the word, 0 to 0xFFFFFFFF
 * @throws ProtocolError when the length is no whole number of that range
 */
export function encodeLength(length: number): Buffer {
  if (!Number.isInteger(length) || length < 0 || length > MAX_LENGTH) {
    throw new ProtocolError(`a word cannot be ${length} bytes long`, { operation: "encode" });
  }
  const size = prefixSize(length);
  const prefix = Buffer.alloc(size);
  let rest = length;
  for (let i = size - 1; i >= 0; i--) {
    prefix[i] = rest & 0xff;
    rest = Math.floor(rest / 256);
  }
  prefix[0] = (prefix[0] ?? 0) | (FORM_MARK[size] ?? 0);
  return prefix;
}

/**
 * How many bytes the prefix that starts with `first` takes.
 * @throws ProtocolError above F0: F8..FF are reserved control bytes and F1..F7 are not described, so nobody
 *   can tell what follows and the stream is lost. Source: MikroTik manual, "API".
 */
export function announcedPrefixSize(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc0) return 2;
  if (first < 0xe0) return 3;
  if (first < 0xf0) return 4;
  if (first === 0xf0) return 5;
  throw new ProtocolError(`reserved length byte 0x${first.toString(16)}`, { operation: "decode" });
}

/** Read a prefix of `size` bytes (from {@link announcedPrefixSize}) that lies complete in `bytes` at `at`. */
export function readLength(bytes: Uint8Array, at: number, size: number): number {
  const first = bytes[at] ?? 0;
  // The form's mark is as many one bits as there are further bytes, then a zero; the bits behind belong to the length.
  let length = first & (0xff >> size);
  for (let i = 1; i < size; i++) length = length * 256 + (bytes[at + i] ?? 0);
  return length;
}

/** Where the word whose prefix stands complete in `bytes` at `at` begins. */
export function wordStart(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  return first < 0x80 ? at + 1 : at + announcedPrefixSize(first);
}

/** Where that word ends; `start` from {@link wordStart}. */
export function wordEnd(bytes: Uint8Array, at: number, start: number): number {
  const first = bytes[at] ?? 0;
  return first < 0x80 ? start + first : start + readLength(bytes, at, start - at);
}

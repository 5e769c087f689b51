/** The part of DER (ITU-T X.690) a certificate is written in: values are built inside out, as buffers. */

function tlv(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError("a certificate is never this long");
  return Buffer.concat([Buffer.of(tag, 0x80 | bytes.length, ...bytes), content]);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts));
export const set = (...parts: readonly Buffer[]): Buffer => tlv(0x31, Buffer.concat(parts));
export const octets = (content: Buffer): Buffer => tlv(0x04, content);
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text));
export const printable = (text: string): Buffer => tlv(0x13, Buffer.from(text, "latin1"));
export const ia5 = (text: string): Buffer => Buffer.from(text, "latin1");
export const nothing = Buffer.of(0x05, 0x00);
export const yes = Buffer.of(0x01, 0x01, 0xff);

/** Whole number from its big-endian bytes; never negative. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.of(0) : Buffer.from(bytes.subarray(start));
  return tlv(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** @param unused bits at the end that don't count */
export function bits(content: Buffer, unused = 0): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.of(unused), content]));
}

/** Set bits by number, 0 the first; zeros at the end are left out, as DER wants. */
export function namedBits(numbers: readonly number[]): Buffer {
  const last = Math.max(-1, ...numbers);
  const content = Buffer.alloc(Math.ceil((last + 1) / 8));
  for (const number of numbers) content[number >> 3] = (content[number >> 3] ?? 0) | (0x80 >> (number & 7));
  return bits(content, last < 0 ? 0 : 7 - (last & 7));
}

/** "1.2.840.113549.1.1.11" */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = rest.flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tlv(0x06, Buffer.of(first * 40 + second, ...bytes));
}

/** UTCTime up to 2049, GeneralizedTime from 2050, as RFC 5280 wants. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? tlv(0x17, Buffer.from(digits.slice(2)))
    : tlv(0x18, Buffer.from(digits));
}

/** Context-specific tag around whole values. */
export const explicit = (number: number, content: Buffer): Buffer => tlv(0xa0 | number, content);
/** Context-specific tag in place of a string's own. */
export const implicit = (number: number, content: Buffer): Buffer => tlv(0x80 | number, content);

/**
 * AES-256-GCM boxes. Layout, bytes:
 *
 *   0        format, 1
 *   1 – 12   nonce, 96 random bits, fresh for every box
 *   13 – 28  authentication tag, 128 bits
 *   29 –     ciphertext, as long as the plain text
 *
 * The context (what the box is for) is authenticated beside it and not stored: a box opened for another purpose,
 * row or customer fails exactly as a damaged one does.
 * A random nonce is safe for 2^32 boxes under one key (NIST SP 800-38D, 8.3); one customer's data key seals
 * passwords and answers, some thousands a day.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
export const KEY_BYTES = 32;

/** @returns a box only the same key and the same context open */
export function sealBox(key: Buffer, context: readonly string[], plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(encodeContext(context));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), ciphertext]);
}

/** @returns the plain bytes, or undefined when the box is damaged or made for another key or context */
export function openBox(key: Buffer, context: readonly string[], box: Buffer): Buffer | undefined {
  if (box.length < HEADER_BYTES || box[0] !== FORMAT) return undefined;
  const nonce = box.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(encodeContext(context));
  decipher.setAuthTag(box.subarray(1 + NONCE_BYTES, HEADER_BYTES));
  try {
    return Buffer.concat([decipher.update(box.subarray(HEADER_BYTES)), decipher.final()]);
  } catch {
    // The one thing final() reports is a tag that does not match.
    return undefined;
  }
}

/** Each part behind its length, so that ["ab", "c"] and ["a", "bc"] differ. */
function encodeContext(parts: readonly string[]): Buffer {
  return Buffer.concat(
    [`format ${FORMAT}`, ...parts].flatMap((part) => {
      const bytes = Buffer.from(part, "utf8");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

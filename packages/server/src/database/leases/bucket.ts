import { createHash } from "node:crypto";

/** Sites, and all else that one process at a time may work for, are divided into so many. */
export const BUCKETS = 1_024;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The bucket of a key: of an id the same as `portreeve_bucket` in the database says, of any other text by its bytes.
 * @returns 0 to 1023
 */
export function bucketOf(key: string): number {
  const bytes = UUID.test(key) ? Buffer.from(key.replaceAll("-", ""), "hex") : key;
  return createHash("sha256").update(bytes).digest().readUInt16BE(0) >> 6;
}

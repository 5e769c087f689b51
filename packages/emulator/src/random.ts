import { createHash } from "node:crypto";

/** Bytes for one purpose, always the same for a seed. */
export function derive(seed: string, purpose: string): Buffer {
  return createHash("sha256").update(`${purpose}\0${seed}`).digest();
}

/** A source of bytes that repeats itself from run to run. For tests: nothing about it is secret. */
export function seededBytes(seed: string): (size: number) => Uint8Array {
  let block = 0;
  let left = Buffer.alloc(0);
  return (size) => {
    while (left.length < size) left = Buffer.concat([left, derive(seed, `bytes ${block++}`)]);
    const bytes = left.subarray(0, size);
    left = left.subarray(size);
    return bytes;
  };
}

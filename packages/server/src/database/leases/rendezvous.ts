/**
 * Rendezvous hashing: each member has a number of points for each bucket, and the bucket is that of the member with
 * the most. Whoever comes takes its share from all others evenly, whoever goes leaves its share to all others, and
 * nothing else moves. Everybody who sees the same members comes to the same result. Pure.
 */
import { createHash } from "node:crypto";
import { BUCKETS } from "./bucket.ts";

/** The buckets that are `member`'s among `members`, itself included. */
export function bucketsOf(member: string, members: Iterable<string>): Set<number> {
  const own = seedOf(member);
  const others = [...members].filter((other) => other !== member).map((id) => ({ id, seed: seedOf(id) }));
  const buckets = new Set<number>();
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const points = pointsOf(own, bucket);
    const isBeaten = others.some(({ id, seed }) => {
      const theirs = pointsOf(seed, bucket);
      return theirs > points || (theirs === points && id > member);
    });
    if (!isBeaten) buckets.add(bucket);
  }
  return buckets;
}

function seedOf(member: string): number {
  return createHash("sha256").update(member).digest().readUInt32BE(0);
}

/** 32 bits. Mixes as MurmurHash3's last step does, so that neighbouring buckets have nothing to do with each other. */
function pointsOf(seed: number, bucket: number): number {
  let mixed = seed ^ Math.imul(bucket + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

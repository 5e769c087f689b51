import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { createTestDatabase } from "../testing.ts";
import { BUCKETS, bucketOf } from "./bucket.ts";
import { bucketsOf } from "./rendezvous.ts";

const ids = (count: number) => Array.from({ length: count }, () => randomUUID());

function ownersOf(members: readonly string[]): string[] {
  const owners = new Array<string>(BUCKETS);
  for (const member of members) for (const bucket of bucketsOf(member, members)) owners[bucket] = member;
  return owners;
}

test("every bucket is one member's, and members have about as many each", () => {
  for (const count of [1, 2, 3, 7]) {
    const members = ids(count);
    const shares = members.map((member) => bucketsOf(member, members));
    const all = shares.flatMap((share) => [...share]);
    expect(all).toHaveLength(BUCKETS);
    expect(new Set(all).size).toBe(BUCKETS);
    for (const share of shares) {
      expect(share.size).toBeGreaterThan((BUCKETS / count) * 0.6);
      expect(share.size).toBeLessThan((BUCKETS / count) * 1.4 + 1);
    }
  }
});

test("a newcomer takes buckets from the others, and no bucket moves between the others", () => {
  const before = ids(4);
  const newcomer = randomUUID();
  const [old, now] = [ownersOf(before), ownersOf([...before, newcomer])];
  const moved = now.flatMap((owner, bucket) => (owner === old[bucket] ? [] : [owner]));
  expect(new Set(moved)).toEqual(new Set([newcomer]));
  expect(moved.length).toBeLessThan(BUCKETS * 0.3);
});

test("the buckets of a member that goes are spread over all others", () => {
  const before = ids(4);
  const [gone, ...others] = before;
  const [old, now] = [ownersOf(before), ownersOf(others)];
  const moved = now.flatMap((owner, bucket) => (owner === old[bucket] ? [] : [bucket]));
  expect(moved.every((bucket) => old[bucket] === gone)).toBe(true);
  expect(new Set(moved.map((bucket) => now[bucket]))).toEqual(new Set(others));
});

test("the order in which the members are read makes no difference", () => {
  const members = ids(5);
  const [one = ""] = members;
  expect(bucketsOf(one, members.toReversed())).toEqual(bucketsOf(one, members));
});

test("a key's bucket is the same here and in the database, and any text has one", async () => {
  await using test = await createTestDatabase();
  const keys = ids(200);
  const { rows } = await test.database.asSystem((trx) =>
    sql<{ id: string; bucket: number }>`
      select id, portreeve_bucket(id) as bucket from unnest(${keys}::uuid[]) as id`.execute(trx),
  );
  expect(rows.map(({ id, bucket }) => [id, bucket])).toEqual(keys.map((key) => [key, bucketOf(key)]));
  expect(bucketOf(keys[0]?.toUpperCase() ?? "")).toBe(bucketOf(keys[0] ?? ""));
  expect(bucketOf("rollouts")).toBeLessThan(BUCKETS);
});

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Trx } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { KeyFileError, SealedValueError, WrongMasterKeyError } from "./errors.ts";
import { Keyring } from "./keyring.ts";
import { Secret } from "./secret.ts";
import { openVault, Vault } from "./vault.ts";

const CANARY = "canary-88a1-password";
const keys = new Map([[1, randomBytes(32)]]);
const place = { table: "credentials", column: "password", rowId: "row-1" };

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
});
afterAll(() => testDatabase.drop());

const newVault = () => new Vault(new Keyring(keys));
const as = <T>(customerId: string, work: (trx: Trx) => Promise<T>) =>
  testDatabase.database.asCustomer(customerId, work);

async function newCustomer(): Promise<string> {
  const id = randomUUID();
  await testDatabase.database.asSystem((trx) =>
    trx.insertInto("customers").values({ id, name: "c" }).execute(),
  );
  return id;
}

/** A customer whose data key stands, and one secret of it sealed for `place`. */
async function sealedSecret(vault = newVault()) {
  const customer = await newCustomer();
  const sealed = await as(customer, (trx) => vault.seal(trx, customer, place, new Secret(CANARY)));
  return { customer, sealed };
}

test("what was sealed opens in the same place, in another process too", async () => {
  const { customer, sealed } = await sealedSecret();
  const opened = await as(customer, (trx) => newVault().open(trx, customer, place, sealed));
  expect(opened.reveal()).toBe(CANARY);
  expect(sealed.toString("latin1")).not.toContain("canary");
});

test("a sealed value moved to another row, column, table or customer does not open", async () => {
  const vault = newVault();
  const { customer, sealed } = await sealedSecret(vault);
  const { customer: other } = await sealedSecret(vault);
  const moves = [
    { ...place, rowId: "row-2" },
    { ...place, column: "username" },
    { ...place, table: "transient_access" },
  ];
  for (const moved of moves) {
    await expect(as(customer, (trx) => vault.open(trx, customer, moved, sealed))).rejects.toThrow(
      SealedValueError,
    );
  }
  await expect(as(other, (trx) => vault.open(trx, other, place, sealed))).rejects.toThrow(SealedValueError);
});

test("a damaged sealed value is an error that names the place and shows no value", async () => {
  const vault = newVault();
  const { customer, sealed } = await sealedSecret(vault);
  sealed[sealed.length - 1] = (sealed.at(-1) as number) ^ 1;
  const opening = as(customer, (trx) => vault.open(trx, customer, place, sealed));
  await expect(opening).rejects.toThrow(/credentials\.password of row row-1 does not open/);
});

test("a data key copied to another customer does not open there", async () => {
  const { customer, sealed } = await sealedSecret();
  const thief = await newCustomer();
  await testDatabase.database.asSystem(async (trx) => {
    const key = await trx
      .selectFrom("data_keys")
      .selectAll()
      .where("customer_id", "=", customer)
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("data_keys")
      .values({ ...key, id: randomUUID(), customer_id: thief })
      .execute();
  });
  await expect(as(thief, (trx) => newVault().open(trx, thief, place, sealed))).rejects.toThrow(
    WrongMasterKeyError,
  );
});

test("another master key is named as the cause, whether it has the version or not", async () => {
  const { customer, sealed } = await sealedSecret();
  for (const version of [1, 2]) {
    const stranger = new Vault(new Keyring(new Map([[version, randomBytes(32)]])));
    await expect(as(customer, (trx) => stranger.open(trx, customer, place, sealed))).rejects.toThrow(
      /Put back the master key file/,
    );
    await expect(as(customer, (trx) => stranger.seal(trx, customer, place, new Secret("x")))).rejects.toThrow(
      WrongMasterKeyError,
    );
  }
});

test("a data key whose transaction rolled back seals nothing afterwards", async () => {
  const vault = newVault();
  const customer = await newCustomer();
  const failed = as(customer, async (trx) => {
    await vault.seal(trx, customer, place, new Secret("first"));
    await vault.seal(trx, customer, place, new Secret("second"));
    throw new Error("rolled back");
  });
  await expect(failed).rejects.toThrow("rolled back");
  const sealed = await as(customer, (trx) => vault.seal(trx, customer, place, new Secret(CANARY)));
  const opened = await as(customer, (trx) => newVault().open(trx, customer, place, sealed));
  expect(opened.reveal()).toBe(CANARY);
});

test("many first uses at the same time make one data key, and every value opens", async () => {
  const customer = await newCustomer();
  const rows = Array.from({ length: 20 }, (_, index) => ({ ...place, rowId: `row-${index}` }));
  const sealed = await Promise.all(
    rows.map((row) => as(customer, (trx) => newVault().seal(trx, customer, row, new Secret(row.rowId)))),
  );
  const vault = newVault();
  for (const [index, row] of rows.entries()) {
    const opened = await as(customer, (trx) => vault.open(trx, customer, row, sealed[index] as Buffer));
    expect(opened.reveal()).toBe(row.rowId);
  }
  const stored = await as(customer, (trx) => trx.selectFrom("data_keys").select("id").execute());
  expect(stored).toHaveLength(1);
});

test("the same secret sealed twice looks different", async () => {
  const vault = newVault();
  const { customer, sealed } = await sealedSecret(vault);
  const again = await as(customer, (trx) => vault.seal(trx, customer, place, new Secret(CANARY)));
  expect(again.equals(sealed)).toBe(false);
});

test("a fingerprint is the same for the same text, and different for another text, purpose or customer", async () => {
  const { customer } = await sealedSecret();
  const { customer: other } = await sealedSecret();
  const print = (owner: string, purpose: string, text: string) =>
    as(owner, async (trx) => (await newVault().fingerprint(trx, owner, purpose, text)).toString("hex"));
  const reference = await print(customer, "p", "text");
  expect(await print(customer, "p", "text")).toBe(reference);
  const others = [
    await print(customer, "p", "text2"),
    await print(customer, "q", "text"),
    await print(other, "p", "text"),
  ];
  expect(others).not.toContain(reference);
});

test("a lost key file keeps the server from starting once there are secrets, and not before", async () => {
  await using fresh = await createTestDatabase();
  const directory = await mkdtemp(join(tmpdir(), "portreeve-vault-"));
  const path = join(directory, "master.key");
  try {
    const vault = await openVault(fresh.database, path);
    await rm(path);
    await openVault(fresh.database, path);
    const customer = randomUUID();
    await fresh.database.asSystem(async (trx) => {
      await trx.insertInto("customers").values({ id: customer, name: "c" }).execute();
      await vault.seal(trx, customer, place, new Secret(CANARY));
    });
    await rm(path);
    await expect(openVault(fresh.database, path)).rejects.toThrow(KeyFileError);
  } finally {
    await rm(directory, { recursive: true });
  }
});

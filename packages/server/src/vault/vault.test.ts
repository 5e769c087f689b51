import { randomBytes, randomUUID } from "node:crypto";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
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
    const otherVault = new Vault(new Keyring(new Map([[version, randomBytes(32)]])));
    await expect(as(customer, (trx) => otherVault.open(trx, customer, place, sealed))).rejects.toThrow(
      /Put back the master key file/,
    );
    await expect(
      as(customer, (trx) => otherVault.seal(trx, customer, place, new Secret("x"))),
    ).rejects.toThrow(WrongMasterKeyError);
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

/** A database and a key file of its own, with one secret of one customer. */
async function startedOnce(parts: AsyncDisposableStack) {
  const fresh = parts.use(await createTestDatabase());
  const directory = await mkdtemp(join(tmpdir(), "portreeve-vault-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const path = join(directory, "master.key");
  const vault = await openVault(fresh.database, path);
  const customer = randomUUID();
  const sealed = await fresh.database.asSystem(async (trx) => {
    await trx.insertInto("customers").values({ id: customer, name: "c" }).execute();
    return await vault.seal(trx, customer, place, new Secret(CANARY));
  });
  const open = (opener: Vault) =>
    fresh.database.asCustomer(customer, (trx) => opener.open(trx, customer, place, sealed));
  return { database: fresh.database, path, open };
}

test("a lost or exchanged key file keeps the server from starting once there are secrets", async () => {
  await using parts = new AsyncDisposableStack();
  const { database, path } = await startedOnce(parts);
  await rm(path);
  await expect(openVault(database, path)).rejects.toThrow(KeyFileError);
  await writeFile(path, `1 ${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  await expect(openVault(database, path)).rejects.toThrow(/another key under this version. Put back/);
  await writeFile(path, `2 ${randomBytes(32).toString("base64")}\n`);
  await expect(openVault(database, path)).rejects.toThrow(/does not hold this version. Put back/);
});

test("a key file lost before the first secret is made anew", async () => {
  await using fresh = await createTestDatabase();
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "portreeve-vault-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const path = join(directory, "master.key");
  await openVault(fresh.database, path);
  await rm(path);
  await expect(openVault(fresh.database, path)).resolves.toBeInstanceOf(Vault);
});

test("a new master key takes over at the next start, and the old one is then of no use", async () => {
  await using parts = new AsyncDisposableStack();
  const { database, path, open } = await startedOnce(parts);
  const second = randomBytes(32).toString("base64");
  await appendFile(path, `2 ${second}\n`);
  expect((await open(await openVault(database, path))).reveal()).toBe(CANARY);
  await writeFile(path, `2 ${second}\n`);
  expect((await open(await openVault(database, path))).reveal()).toBe(CANARY);
});

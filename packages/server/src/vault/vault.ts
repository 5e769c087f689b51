/**
 * Envelope encryption of everything secret in the database. Each customer has a data key (table data_keys), wrapped
 * by the newest key-encryption key of the keyring; values are sealed with the data key.
 * Whose key and which context: a sealed value opens for the same customer, table, column and row only.
 */
import { createHmac, hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Database, Trx } from "../database/index.ts";
import { KEY_BYTES, openBox, sealBox } from "./envelope.ts";
import { type Binding, KeyFileError, SealedValueError, WrongMasterKeyError } from "./errors.ts";
import { type Keyring, loadKeyring, type Wrapped } from "./keyring.ts";
import { Secret } from "./secret.ts";

interface StoredDataKey extends Wrapped {
  id: string;
  /** Made by another transaction than the one that reads it. */
  committed: boolean;
}

export class Vault {
  readonly #keyring: Keyring;
  /** customer -> unwrapped data key, 32 bytes each. Committed keys only: see #dataKey. */
  readonly #dataKeys = new Map<string, Buffer>();

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** Keys by which processes of this installation know each other; they come from the master key. */
  internalKeys(): { readonly newest: number; keyOf(version: number): Buffer | undefined } {
    const keyring = this.#keyring;
    return {
      newest: keyring.newestVersion,
      keyOf: (version) => keyring.derive(version, "between processes"),
    };
  }

  /**
   * Seal a secret for one place. Makes the customer's data key at the first use, in the caller's transaction.
   * @param trx a transaction that sees this customer's rows
   * @returns bytes for a bytea column, 29 longer than the secret's UTF-8; never the same twice
   * @throws WrongMasterKeyError
   */
  async seal(trx: Trx, customerId: string, binding: Binding, secret: Secret): Promise<Buffer> {
    const key = (await this.#dataKey(trx, customerId)) ?? (await this.#createDataKey(trx, customerId));
    return sealBox(key, contextOf(customerId, binding), Buffer.from(secret.reveal(), "utf8"));
  }

  /**
   * Open what `seal` made for the same customer and place.
   * @throws SealedValueError damaged, moved, or its data key is gone
   * @throws WrongMasterKeyError
   */
  async open(trx: Trx, customerId: string, binding: Binding, sealed: Buffer): Promise<Secret> {
    const key = await this.#dataKey(trx, customerId);
    const plain = key && openBox(key, contextOf(customerId, binding), sealed);
    if (plain === undefined) throw new SealedValueError(customerId, binding);
    return new Secret(plain.toString("utf8"));
  }

  /**
   * A keyed hash (HMAC-SHA-256, 32 bytes) to compare texts that may hold a password: unlike a plain hash it can't be
   * guessed from a stolen dump. The same text gives the same bytes for the same customer and purpose.
   */
  async fingerprint(trx: Trx, customerId: string, purpose: string, text: string): Promise<Buffer> {
    const key = (await this.#dataKey(trx, customerId)) ?? (await this.#createDataKey(trx, customerId));
    const subkey = Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), `fingerprint ${purpose}`, KEY_BYTES));
    return createHmac("sha256", subkey).update(text, "utf8").digest();
  }

  /** Only a committed key is remembered: one whose transaction rolls back would seal values nothing can open. */
  async #dataKey(trx: Trx, customerId: string): Promise<Buffer | undefined> {
    const known = this.#dataKeys.get(customerId);
    if (known) return known;
    const stored = await readDataKey(trx, customerId);
    if (!stored) return undefined;
    const key = this.#unwrap(customerId, stored);
    if (stored.committed) this.#dataKeys.set(customerId, key);
    return key;
  }

  #unwrap(customerId: string, stored: StoredDataKey): Buffer {
    return unwrapDataKey(this.#keyring, customerId, stored);
  }

  /** Of several transactions at once one inserts, the others wait for it and read what it made. */
  async #createDataKey(trx: Trx, customerId: string): Promise<Buffer> {
    const id = randomUUID();
    const { keyVersion, box } = this.#keyring.wrap(["data key", customerId, id], randomBytes(KEY_BYTES));
    await trx
      .insertInto("data_keys")
      .values({ id, customer_id: customerId, wrapped_key: box, key_version: keyVersion })
      .onConflict((conflict) => conflict.column("customer_id").doNothing())
      .execute();
    const stored = await readDataKey(trx, customerId);
    if (!stored) throw new Error(`this transaction can't see the data key of customer ${customerId}`);
    return this.#unwrap(customerId, stored);
  }
}

/**
 * The vault over the key file at `path`, which is made when the database holds no secret yet. Every data key is tried,
 * so that a wrong file shows at the start and not at the first password; those sealed by an older version of the
 * key-encryption key are sealed anew by the newest.
 * @throws KeyFileError missing, unsafe, malformed, or not the one this database was used with
 */
export async function openVault(database: Database, path: string): Promise<Vault> {
  const holdsDataKeys = () =>
    database.asSystem(
      async (trx) =>
        (await trx.selectFrom("data_keys").select("id").limit(1).executeTakeFirst()) !== undefined,
    );
  const keyring = await loadKeyring(path, holdsDataKeys);
  try {
    await database.asSystem((trx) => rewrapDataKeys(trx, keyring));
  } catch (error) {
    if (error instanceof WrongMasterKeyError) throw new KeyFileError(path, error.message, { cause: error });
    throw error;
  }
  return new Vault(keyring);
}

async function rewrapDataKeys(trx: Trx, keyring: Keyring): Promise<void> {
  const rows = await trx.selectFrom("data_keys").selectAll().orderBy("id").forUpdate().execute();
  for (const { id, customer_id, wrapped_key, key_version } of rows) {
    const dataKey = unwrapDataKey(keyring, customer_id, { id, keyVersion: key_version, box: wrapped_key });
    if (key_version === keyring.newestVersion) continue;
    const { keyVersion, box } = keyring.wrap(["data key", customer_id, id], dataKey);
    await trx
      .updateTable("data_keys")
      .set({ wrapped_key: box, key_version: keyVersion })
      .where("id", "=", id)
      .execute();
  }
}

function unwrapDataKey(keyring: Keyring, customerId: string, stored: Wrapped & { id: string }): Buffer {
  const key = keyring.unwrap(["data key", customerId, stored.id], stored);
  if (key) return key;
  const problem = keyring.has(stored.keyVersion)
    ? "the master key file holds another key under this version"
    : "the master key file does not hold this version";
  throw new WrongMasterKeyError(customerId, stored.keyVersion, problem);
}

async function readDataKey(trx: Trx, customerId: string): Promise<StoredDataKey | undefined> {
  const row = await trx
    .selectFrom("data_keys")
    // now() is the start of this transaction and the default of created_at: equal means "made here, not yet sure".
    .select(["id", "wrapped_key", "key_version", sql<boolean>`created_at <> now()`.as("committed")])
    .where("customer_id", "=", customerId)
    .executeTakeFirst();
  return row && { id: row.id, keyVersion: row.key_version, box: row.wrapped_key, committed: row.committed };
}

function contextOf(customerId: string, { table, column, rowId }: Binding): string[] {
  return ["sealed value", customerId, table, column, rowId];
}

import { sql } from "kysely";
import type { Database, Trx } from "../database/index.ts";

type FoundToken = Awaited<ReturnType<typeof findGoodTokens>>[number];

/**
 * Looks tokens up, those that are asked for together in one statement: while one is under way, whoever comes gathers
 * for the next. Nothing is cached. A statement is sent only after everybody it answers has asked, so what was revoked
 * before somebody asked is not found for them.
 */
export class TokenLookUp {
  readonly #database: Database;
  /** By hash, for the statement that is sent next. */
  #gathering = new Map<string, Buffer>();
  #next: Promise<Map<string, FoundToken>> | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @returns undefined when no token that is good now has this hash. @throws when the database can't be asked */
  async find(hash: Buffer): Promise<FoundToken | undefined> {
    const key = hash.toString("base64");
    this.#gathering.set(key, hash);
    this.#next ??= this.#askNext();
    return (await this.#next).get(key);
  }

  async #askNext(): Promise<Map<string, FoundToken>> {
    await this.#underWay;
    const hashes = [...this.#gathering.values()];
    this.#gathering = new Map();
    this.#next = undefined;
    const found = this.#database.readAsSystem((trx) => findGoodTokens(trx, hashes));
    this.#underWay = found.catch(() => {});
    return new Map((await found).map((row) => [row.token_hash.toString("base64"), row]));
  }
}

/** The index compares hashes, of which an attacker can't choose a prefix: its timing tells nothing of a token. */
function findGoodTokens(trx: Trx, hashes: readonly Buffer[]) {
  return trx
    .selectFrom("api_tokens")
    .select(["token_hash", "id", "customer_id", "name", "scopes"])
    .select(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`.as("use_unrecorded"))
    .select(sql<number | null>`extract(epoch from expires_at - now())::float8 * 1000`.as("left_ms"))
    .where("token_hash", "=", sql<Buffer>`any(${hashes}::bytea[])`)
    .where("revoked_at", "is", null)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", sql<Date>`now()`)]))
    .execute();
}

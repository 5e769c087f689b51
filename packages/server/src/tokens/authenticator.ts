import type { Scope } from "@portreeve/api-schema";
import { sql } from "kysely";
import type { Database, Log } from "../database/index.ts";
import type { TokenHolder } from "../kernel/actor.ts";
import { hashToken, problemWithToken } from "./token-text.ts";

/**
 * Finds whose token a text is. Nothing is cached: a revoked or expired token ends with the next request, by the
 * database's clock.
 */
export class Authenticator implements AsyncDisposable {
  readonly #database: Database;
  readonly #log: Log;
  /** Tokens whose last use is being written. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /**
   * @param text as sent. Any text that could be a token is looked up, since an operator may have chosen the first one
   * @returns undefined when it is no token, unknown, expired or revoked: nobody is told which
   */
  async authenticate(text: string): Promise<TokenHolder | undefined> {
    if (problemWithToken(text) !== undefined) return undefined;
    // The index compares hashes, of which an attacker can't choose a prefix: its timing tells nothing of a token.
    const row = await this.#database.asSystem((trx) =>
      trx
        .selectFrom("api_tokens")
        .select(["id", "customer_id", "name", "scopes"])
        .select(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`.as("use_unrecorded"))
        .where("token_hash", "=", hashToken(text))
        .where("revoked_at", "is", null)
        .where((where) =>
          where.or([where("expires_at", "is", null), where("expires_at", ">", sql<Date>`now()`)]),
        )
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    if (row.use_unrecorded) this.#recordUse(row.id);
    const scopes = new Set(row.scopes as Scope[]);
    return { customerId: row.customer_id, tokenId: row.id, tokenName: row.name, scopes };
  }

  /** Wait for what is still being written. Safe twice; the authenticator stays usable. */
  async drain(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** Beside the request and not in its way; when it fails the next request writes it. */
  #recordUse(tokenId: string): void {
    if (this.#writing.has(tokenId)) return;
    const write = this.#database
      .asSystem(async (trx) => {
        await trx
          .updateTable("api_tokens")
          .set({ last_used_at: sql<Date>`now()` })
          .where("id", "=", tokenId)
          .execute();
      })
      .catch((error) => this.#log.warn({ err: error }, "the last use of a token could not be recorded"))
      .finally(() => this.#writing.delete(tokenId));
    this.#writing.set(tokenId, write);
  }
}

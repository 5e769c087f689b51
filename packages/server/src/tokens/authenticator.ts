import type { Scope } from "@portreeve/api-schema";
import { sql } from "kysely";
import type { Database, Log } from "../database/index.ts";
import type { TokenHolder } from "../kernel/actor.ts";
import { TokenLookUp } from "./look-up.ts";
import { hashToken, problemWithToken } from "./token-text.ts";

/** How long a token that proved good may still end an access when the database does not answer, milliseconds. */
const REMEMBERED_MS = 15 * 60_000;
/** Tokens remembered so, about 500 bytes each; the oldest are forgotten first. */
const MAX_REMEMBERED = 10_000;
/** How long the database may take before what is remembered counts, milliseconds. */
const PATIENCE_MS = 1_000;

interface Remembered {
  readonly holder: TokenHolder;
  /** Monotonic, milliseconds. */
  readonly until: number;
}

/**
 * Finds whose token a text is. Nothing is cached: a revoked or expired token ends with the next request, by the
 * database's clock. The one exception is told beside `authenticate`.
 */
export class Authenticator implements AsyncDisposable {
  readonly #database: Database;
  readonly #log: Log;
  readonly #lookUp: TokenLookUp;
  /** Tokens whose last use is being written. */
  readonly #writing = new Map<string, Promise<void>>();
  /** By the token's hash, as base64; the oldest first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
    this.#lookUp = new TokenLookUp(database);
  }

  /**
   * @param text as sent. Any text that could be a token is looked up, since an operator may have chosen the first one
   * @param withoutDatabase where the database fails, or has not answered within a second, take the token for what it
   *   was within the last quarter of an hour. For ending access alone: a token that was revoked since can at worst end
   *   early what it could have ended before
   * @returns undefined when it is no token, unknown, expired or revoked: nobody is told which
   */
  async authenticate(
    text: string,
    { withoutDatabase }: { withoutDatabase: boolean } = { withoutDatabase: false },
  ): Promise<TokenHolder | undefined> {
    if (problemWithToken(text) !== undefined) return undefined;
    const asked = this.#ask(text);
    const remembered = withoutDatabase ? this.#recall(text) : undefined;
    if (!remembered) return asked;
    const { promise: late, resolve } = Promise.withResolvers<TokenHolder>();
    const timer = setTimeout(() => resolve(remembered), PATIENCE_MS);
    return Promise.race([asked, late])
      .catch(() => remembered)
      .finally(() => clearTimeout(timer));
  }

  async #ask(text: string): Promise<TokenHolder | undefined> {
    const hash = hashToken(text);
    const row = await this.#lookUp.find(hash);
    const key = hash.toString("base64");
    this.#remembered.delete(key);
    if (!row) return undefined;
    if (row.use_unrecorded) this.#recordUse(row.id);
    const scopes = new Set(row.scopes as Scope[]);
    const holder = { customerId: row.customer_id, tokenId: row.id, tokenName: row.name, scopes };
    this.#remember(key, holder, Math.min(REMEMBERED_MS, row.left_ms ?? REMEMBERED_MS));
    return holder;
  }

  #remember(key: string, holder: TokenHolder, forMs: number): void {
    this.#remembered.set(key, { holder, until: performance.now() + forMs });
    const [oldest] = this.#remembered.size > MAX_REMEMBERED ? this.#remembered.keys() : [];
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  #recall(text: string): TokenHolder | undefined {
    const known = this.#remembered.get(hashToken(text).toString("base64"));
    return known && known.until > performance.now() ? known.holder : undefined;
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

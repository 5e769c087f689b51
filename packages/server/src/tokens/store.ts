import type { Scope, Token } from "@portreeve/api-schema";
import { type Selectable, sql } from "kysely";
import { exactTime, type Tables, type Trx } from "../database/index.ts";
import type { CustomerId, TokenId } from "../kernel/ids.ts";

/** Without the hash: nobody needs it after it was written. */
const COLUMNS = ["id", "name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"] as const;

export type TokenRow = Pick<Selectable<Tables["api_tokens"]>, (typeof COLUMNS)[number]>;

export interface NewToken {
  id: TokenId;
  customerId: CustomerId;
  name: string;
  hash: Buffer;
  scopes: readonly Scope[];
  expiresAt: Date | null;
}

export async function insertToken(trx: Trx, token: NewToken): Promise<TokenRow> {
  return await trx
    .insertInto("api_tokens")
    .values({
      id: token.id,
      customer_id: token.customerId,
      name: token.name,
      token_hash: token.hash,
      scopes: [...token.scopes],
      expires_at: token.expiresAt,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

/** Newest first. @param before the position `[created_at, id]` of the last row seen */
export async function listTokens(
  trx: Trx,
  { limit, before }: { limit: number; before: readonly [string, string] | undefined },
): Promise<(TokenRow & { position: string })[]> {
  return await trx
    .selectFrom("api_tokens")
    .select(COLUMNS)
    .select(exactTime("created_at").as("position"))
    .$if(before !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) < (${before?.[0]}::timestamptz, ${before?.[1]}::uuid)`),
    )
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

/** The row, locked against being revoked until this transaction ends; undefined when it is not good any more. */
export async function holdGoodToken(
  trx: Trx,
  id: TokenId,
): Promise<Pick<TokenRow, "expires_at"> | undefined> {
  return await trx
    .selectFrom("api_tokens")
    .select("expires_at")
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .forShare()
    .executeTakeFirst();
}

/** @returns the row as it is now and whether this call ended it; undefined when there is none */
export async function revokeToken(
  trx: Trx,
  id: TokenId,
): Promise<{ name: string; revokedNow: boolean } | undefined> {
  const revoked = await trx
    .updateTable("api_tokens")
    .set({ revoked_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returning("name")
    .executeTakeFirst();
  if (revoked) return { name: revoked.name, revokedNow: true };
  const row = await trx.selectFrom("api_tokens").select("name").where("id", "=", id).executeTakeFirst();
  return row && { name: row.name, revokedNow: false };
}

export function presentToken(row: TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes as Scope[],
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}

/** The clock that decides access. */
export async function databaseNow(trx: Trx): Promise<Date> {
  const { now } = await trx.selectNoFrom(sql<Date>`now()`.as("now")).executeTakeFirstOrThrow();
  return now;
}

import { randomUUID } from "node:crypto";
import type { TokenInput } from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import type { Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import { UnauthenticatedError, ValidationError } from "../kernel/errors.ts";
import type { TokenId } from "../kernel/ids.ts";
import type { Secret } from "../vault/index.ts";
import { OutlivingTokenError, StrongerTokenError, TokenNotFoundError } from "./errors.ts";
import { databaseNow, holdGoodToken, insertToken, revokeToken, type TokenRow } from "./store.ts";
import { generateToken, hashToken } from "./token-text.ts";

/**
 * Make a token no stronger and no longer-lived than the one that asks.
 * @returns its row, and the token itself: shown once, then only its hash remains
 * @throws StrongerTokenError, OutlivingTokenError, ValidationError (ends in the past)
 */
export async function createToken(
  trx: Trx,
  caller: Caller,
  input: TokenInput,
): Promise<{ row: TokenRow; token: Secret }> {
  const missing = input.scopes.filter((scope) => !caller.scopes.has(scope));
  if (missing.length > 0) throw new StrongerTokenError(missing);
  const expiresAt = input.expires_at === null ? null : new Date(input.expires_at);
  await checkExpiry(trx, caller, expiresAt);
  const id = randomUUID();
  const token = generateToken(id);
  const row = await insertToken(trx, {
    id,
    customerId: caller.customerId,
    name: input.name,
    hash: hashToken(token.reveal()),
    scopes: input.scopes,
    expiresAt,
  });
  await record(trx, actorOf(caller), {
    action: "token.created",
    subjectType: "token",
    subjectId: id,
    detail: { name: input.name, scopes: input.scopes, expires_at: input.expires_at },
  });
  return { row, token };
}

/** End a token; ending one that has ended already changes nothing. @throws TokenNotFoundError */
export async function endToken(trx: Trx, caller: Caller, id: TokenId): Promise<void> {
  const token = await revokeToken(trx, id);
  if (!token) throw new TokenNotFoundError();
  if (!token.revokedNow) return;
  await record(trx, actorOf(caller), {
    action: "token.revoked",
    subjectType: "token",
    subjectId: id,
    detail: { name: token.name },
  });
}

async function checkExpiry(trx: Trx, caller: Caller, expiresAt: Date | null): Promise<void> {
  // Held, so that a token being revoked at this moment can't leave a successor behind.
  const own = await holdGoodToken(trx, caller.tokenId);
  if (!own) throw new UnauthenticatedError();
  if (expiresAt !== null && expiresAt <= (await databaseNow(trx))) {
    throw new ValidationError({ expires_at: ["must be in the future"] });
  }
  if (own.expires_at !== null && (expiresAt === null || expiresAt > own.expires_at)) {
    throw new OutlivingTokenError(own.expires_at);
  }
}

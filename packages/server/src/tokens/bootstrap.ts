import { randomUUID } from "node:crypto";
import { SCOPES } from "@portreeve/api-schema";
import { sql } from "kysely";
import { record } from "../audit/index.ts";
import type { Database, Trx } from "../database/index.ts";
import { Secret } from "../vault/index.ts";
import { BootstrapTokenError } from "./errors.ts";
import { insertToken } from "./store.ts";
import { generateToken, hashToken, problemWithToken } from "./token-text.ts";

export interface BootstrapOptions {
  /** Chosen by the operator: 32 or more visible ASCII characters, taken as it is. */
  token?: string | undefined;
  /** Adds what a customer starts with (its default policy), in the same transaction of the system role. */
  onFirstCustomer?: (trx: Trx, customerId: string) => Promise<void>;
}

export interface Bootstrapped {
  customerId: string;
  /** To be printed once; undefined when the operator chose the token and so knows it. */
  generatedToken: Secret | undefined;
}

/**
 * When there is no customer, create the first and its administrator's token, with every scope. Safe when several
 * processes start at once: one does it, the others find it done.
 * @returns undefined when there was a customer already; of a given token only the form is checked then
 * @throws BootstrapTokenError the given token is too short or can't be sent; nothing was created
 */
export async function ensureBootstrap(
  database: Database,
  { token, onFirstCustomer }: BootstrapOptions = {},
): Promise<Bootstrapped | undefined> {
  const problem = token === undefined ? undefined : problemWithToken(token);
  if (problem !== undefined) throw new BootstrapTokenError(problem);
  return await database.asSystem(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('portreeve bootstrap', 0))`.execute(trx);
    const existing = await trx.selectFrom("customers").select("id").limit(1).executeTakeFirst();
    if (existing) return undefined;
    const customerId = randomUUID();
    await trx
      .insertInto("customers")
      .values({ id: customerId, name: "default", operates_installation: true })
      .execute();
    const tokenId = randomUUID();
    const admin = token === undefined ? generateToken(tokenId) : new Secret(token);
    await insertToken(trx, {
      id: tokenId,
      customerId,
      name: "bootstrap",
      hash: hashToken(admin.reveal()),
      scopes: SCOPES,
      expiresAt: null,
    });
    await record(
      trx,
      { kind: "system", part: "bootstrap" },
      {
        customerId,
        action: "token.created",
        subjectType: "token",
        subjectId: tokenId,
        detail: { name: "bootstrap", scopes: [...SCOPES], expires_at: null },
      },
    );
    await onFirstCustomer?.(trx, customerId);
    return { customerId, generatedToken: token === undefined ? admin : undefined };
  });
}

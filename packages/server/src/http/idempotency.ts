/**
 * The Idempotency-Key of POST requests. A key is claimed by inserting its row in the request's own transaction:
 * - requests with the same key at the same time wait for the first on the primary key;
 * - the first commits effect and answer together, and the others find the answer;
 * - an error or a crash rolls the claim back with the effect, so that a retry runs afresh.
 * The answer is stored sealed, because it may show a password. A key belongs to the token that used it.
 */
import { sql } from "kysely";
import type { Trx } from "../database/index.ts";
import { DomainError, ValidationError } from "../kernel/errors.ts";
import { Secret, type Vault } from "../vault/index.ts";

/** Keys are forgotten after a day, as in the public APIs people know them from. */
const LIFETIME_HOURS = 24;
/** Old rows swept by the way, per request; more than one request can add. */
const SWEEP_ROWS = 20;
const KEY_FORM = /^[\x21-\x7e]{1,255}$/;

class IdempotencyKeyReusedError extends DomainError {
  constructor() {
    super({
      status: 422,
      code: "idempotency-key-reused",
      title: "The Idempotency-Key was used before",
      detail: "This Idempotency-Key was sent with another request. Use a new key for a new request.",
      errors: { "Idempotency-Key": ["was sent with another request; use a new key"] },
    });
  }
}

export interface StoredAnswer {
  status: number;
  /** Exactly what was sent then; empty when there was no body. */
  text: string;
}

export interface KeyedRequest {
  customerId: string;
  key: string;
  /** Everything that makes this the same request: who, method, path and body. */
  identity: string;
}

/** @throws ValidationError the header is not 1 to 255 visible ASCII characters */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === "string" && KEY_FORM.test(header)) return header;
  throw new ValidationError({
    "Idempotency-Key": ["must be 1 to 255 visible ASCII characters, without spaces"],
  });
}

/**
 * Claim the key for this transaction.
 * @returns undefined when the key is ours now; the stored answer when this request was answered before
 * @throws IdempotencyKeyReusedError
 */
export async function claimKey(
  trx: Trx,
  vault: Vault,
  request: KeyedRequest,
): Promise<StoredAnswer | undefined> {
  const { customerId, key } = request;
  const hash = await vault.fingerprint(trx, customerId, "idempotency", request.identity);
  await forgetOld(trx, key);
  const claimed = await trx
    .insertInto("idempotency_keys")
    .values({ customer_id: customerId, key, request_hash: hash, status: 0, response: Buffer.alloc(0) })
    .onConflict((conflict) => conflict.columns(["customer_id", "key"]).doNothing())
    .returning("key")
    .executeTakeFirst();
  if (claimed) return undefined;
  const stored = await trx
    .selectFrom("idempotency_keys")
    .select(["request_hash", "status", "response"])
    .where("customer_id", "=", customerId)
    .where("key", "=", key)
    .executeTakeFirstOrThrow();
  if (!stored.request_hash.equals(hash)) throw new IdempotencyKeyReusedError();
  const text = await vault.open(trx, customerId, bindingOf(key), stored.response);
  return { status: stored.status, text: text.reveal() };
}

/** Store the answer beside the effect it tells of. */
export async function keepAnswer(
  trx: Trx,
  vault: Vault,
  { customerId, key }: KeyedRequest,
  answer: StoredAnswer,
): Promise<void> {
  const response = await vault.seal(trx, customerId, bindingOf(key), new Secret(answer.text));
  await trx
    .updateTable("idempotency_keys")
    .set({ status: answer.status, response })
    .where("customer_id", "=", customerId)
    .where("key", "=", key)
    .execute();
}

/** This key when it is old, and some others by the way; those that another request is sweeping are left to it. */
async function forgetOld(trx: Trx, key: string): Promise<void> {
  const isOld = sql<boolean>`created_at < now() - interval '${sql.raw(`${LIFETIME_HOURS}`)} hours'`;
  await trx
    .deleteFrom("idempotency_keys")
    .where(isOld)
    .where((where) =>
      where.or([
        where("key", "=", key),
        where("key", "in", (query) =>
          query
            .selectFrom("idempotency_keys")
            .select("key")
            .where(isOld)
            .limit(SWEEP_ROWS)
            .forUpdate()
            .skipLocked(),
        ),
      ]),
    )
    .execute();
}

function bindingOf(key: string) {
  return { table: "idempotency_keys", column: "response", rowId: key };
}

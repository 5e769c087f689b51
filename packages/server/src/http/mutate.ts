import type { FastifyReply, FastifyRequest } from "fastify";
import type { Database, Trx } from "../database/index.ts";
import type { Vault } from "../vault/index.ts";
import {
  claimKey,
  type KeyedRequest,
  keepAnswer,
  readIdempotencyKey,
  type StoredAnswer,
} from "./idempotency.ts";

export interface MutateOptions {
  readonly database: Database;
  readonly vault: Vault;
  /** Of the answer when `work` resolves; 204 sends no body. */
  readonly status: number;
  readonly afterCommit?: (() => Promise<void>) | undefined;
}

/** The answer of a change that is committed. */
export class CommittedAnswer {
  readonly #answer: StoredAnswer;
  readonly repeated: boolean;

  constructor(answer: StoredAnswer, repeated: boolean) {
    this.#answer = answer;
    this.repeated = repeated;
  }

  send(reply: FastifyReply): FastifyReply {
    const { status, text } = this.#answer;
    reply.code(status);
    if (this.repeated) reply.header("idempotent-replayed", "true");
    return text === "" ? reply.send() : reply.type("application/json; charset=utf-8").send(text);
  }
}

/** `mutate` of a route, as `kernel/route.ts` promises it. */
export async function mutate<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  { database, vault, status, afterCommit }: MutateOptions,
  work: (trx: Trx) => Promise<T>,
): Promise<CommittedAnswer> {
  const keyed = keyedRequest(request);
  const answer = await database.asCustomer(request.caller.customerId, async (trx) => {
    const before = keyed && (await claimKey(trx, vault, keyed));
    if (before) return new CommittedAnswer(before, true);
    const fresh = present(reply, status, await work(trx));
    if (keyed) await keepAnswer(trx, vault, keyed, fresh);
    return new CommittedAnswer(fresh, false);
  });
  if (!answer.repeated) await afterCommit?.();
  return answer;
}

function keyedRequest(request: FastifyRequest): KeyedRequest | undefined {
  const key = request.method === "POST" ? readIdempotencyKey(request.headers["idempotency-key"]) : undefined;
  if (key === undefined) return undefined;
  const { customerId, tokenId } = request.caller;
  return {
    customerId,
    key,
    identity: JSON.stringify([tokenId, request.method, request.url, sorted(request.body)]),
  };
}

/** The same JSON whatever the order its fields came in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, sorted(item)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function present(reply: FastifyReply, status: number, body: unknown): StoredAnswer {
  if (status === 204 || body === undefined) return { status, text: "" };
  // Chooses the serializer of this status, which checks the body against its schema.
  reply.code(status);
  return { status, text: reply.serialize(body) as string };
}

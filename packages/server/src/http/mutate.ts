import type { FastifyReply, FastifyRequest } from "fastify";
import type { Trx } from "../database/index.ts";
import {
  claimKey,
  type KeyedRequest,
  keepAnswer,
  readIdempotencyKey,
  type StoredAnswer,
} from "./idempotency.ts";
import { noStore } from "./no-store.ts";

/**
 * The way every POST, PUT, PATCH and DELETE runs: one transaction of the caller's customer, and the answer only after
 * its commit. The answer is checked against the route's response schema inside the transaction, so that a mistake
 * there undoes the work. With an `Idempotency-Key` on a POST the effect and the answer happen once.
 * Work may touch the database through `trx` alone: what routers should do is intent, written and notified here.
 * @param status of the answer when `work` resolves; 204 sends no body
 * @param settled awaited after the commit and before the answer, for a caller who will act on the answer at once;
 *   bounded and never failing, because what is committed stands
 * @returns for Fastify alone: the handler returns it and the answer has been sent
 */
export async function mutate<Body>(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, settled }: { status: number; settled?: () => Promise<void> },
  work: (trx: Trx) => Promise<Body>,
): Promise<Body> {
  const { database, vault } = request.server.mutations;
  const keyed = keyedRequest(request);
  const { answer, replayed } = await database.asCustomer(request.caller.customerId, async (trx) => {
    const before = keyed && (await claimKey(trx, vault, keyed));
    if (before) return { answer: before, replayed: true };
    const fresh = present(reply, status, await work(trx));
    if (keyed) await keepAnswer(trx, vault, keyed, fresh);
    return { answer: fresh, replayed: false };
  });
  if (replayed) reply.header("idempotent-replayed", "true");
  else await settled?.();
  // The reply stands for a body that has been sent; Fastify takes it as that.
  return noStore(send(reply, answer)) as unknown as Body;
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

function send(reply: FastifyReply, { status, text }: StoredAnswer): FastifyReply {
  reply.code(status);
  return text === "" ? reply.send() : reply.type("application/json; charset=utf-8").send(text);
}

import type { FastifyRequest } from "fastify";
import type { Trx } from "../database/index.ts";

/** The way every GET reads: one transaction that sees the caller's customer and no other. */
export function read<T>(request: FastifyRequest, work: (trx: Trx) => Promise<T>): Promise<T> {
  return request.server.mutations.database.asCustomer(request.caller.customerId, work);
}

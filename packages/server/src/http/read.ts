import type { FastifyRequest } from "fastify";
import type { Trx } from "../database/index.ts";

/** The way a GET reads: it sees the caller's customer and no other, and can't write. */
export function read<T>(request: FastifyRequest, work: (trx: Trx) => Promise<T>): Promise<T> {
  return request.server.mutations.database.readAsCustomer(request.caller.customerId, work);
}

/** The way a GET reads that leaves an audit event: answered only after the event has been committed. */
export function readRecorded<T>(request: FastifyRequest, work: (trx: Trx) => Promise<T>): Promise<T> {
  return request.server.mutations.database.asCustomer(request.caller.customerId, work);
}

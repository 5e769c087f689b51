import { AsyncLocalStorage } from "node:async_hooks";
import type { Statement } from "../exchange.ts";

/** The work is another process's by now, or may be: nothing was written, and nothing more is to be done. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  readonly code = "lease-lost";
  constructor(reason: string) {
    super(`the lease was lost: ${reason}`);
  }
}

/** What a run holds while it works: the right of this process, and no other, to work for the keys of one bucket. */
export interface Lease extends Disposable {
  readonly bucket: number;
  /** The member's id. */
  readonly holder: string;
  /** Which holding of the bucket this is; every later one has a greater number. */
  readonly epoch: string;
  /** Aborted, with a LeaseLostError, when the lease ends before the run does. */
  readonly lost: AbortSignal;
  /** @throws LeaseLostError by this process's own monotonic clock the lease is over */
  check(): void;
  /** The run has ended. Safe twice. */
  [Symbol.dispose](): void;
}

const leases = new AsyncLocalStorage<Lease>();

/**
 * Do `work` as the holder of a lease: from here on every transaction that writes, whoever opens it, proves the lease
 * before it commits (see `proveLease`). Carried by the asynchronous context and not by arguments, so that no module
 * can forget it.
 */
export function holding<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
  return leases.run(lease, work);
}

/**
 * To be called before each command that changes a router: the database can't hold that one back.
 * @throws LeaseLostError this is a run's work, and by this process's monotonic clock its lease is over
 */
export function checkLease(): void {
  leases.getStore()?.check();
}

/** Statements that may change rows; those that only lock some are among them, and do no harm. */
const MAY_WRITE = /\b(insert|update|delete|merge)\b/i;

export function mayWrite(statement: string): boolean {
  return MAY_WRITE.test(statement);
}

/**
 * Prove the lease this work is done under, if it is done under one, as the last statement before COMMIT. Nobody can
 * take the bucket between the proof and the commit.
 * @param run runs a statement in the transaction
 * @throws LeaseLostError the transaction is to be rolled back
 */
export async function proveLease(run: (statement: Statement) => Promise<{ rows: unknown[] }>): Promise<void> {
  const lease = leases.getStore();
  if (!lease) return;
  const { rows } = await run({
    text: "select portreeve_prove_lease($1, $2, $3) as held",
    values: [lease.bucket, lease.holder, lease.epoch],
  });
  const [row] = rows as { held: boolean }[];
  if (row?.held !== true) throw new LeaseLostError(`bucket ${lease.bucket} has another holder`);
}

/**
 * Revoking: first closed at the gateway, which writes it into its journal, then recorded, then answered. Each step that
 * fails has its own answer, and none of them keeps the one before from standing.
 */
import type { Database } from "../database/index.ts";
import type { Caller } from "../kernel/actor.ts";
import { DomainError } from "../kernel/errors.ts";
import type { GatewayControl } from "./control/control.ts";
import { revokerText } from "./control/records.ts";
import { ClosedNotRecordedError, DatabaseLateError, NotClosedError } from "./errors.ts";
import type { TransientAccessService } from "./service.ts";

/** A database that has not taken the record by then is answered as one that can't, milliseconds. */
const RECORD_MS = 3_000;

export interface RevokeOptions {
  readonly database: Database;
  readonly access: TransientAccessService;
  readonly control: GatewayControl;
}

/**
 * End a grant now. When this resolves, not a byte passes and that is recorded. Ending an ended one changes nothing.
 * @throws GrantNotFoundError
 * @throws ClosedNotRecordedError closed, and the database could not be written; the gateway's report will
 * @throws NotClosedError recorded, and the gateway could not be reached: the end it knows holds
 */
export async function revokeAccess(
  { database, access, control }: RevokeOptions,
  caller: Caller,
  siteId: string,
  id: string,
): Promise<void> {
  const by = revokerText({ tokenId: caller.tokenId, name: caller.tokenName, address: caller.address });
  const told = control.told(id);
  // What this process has told a gateway it knows to be the customer's; the database need not be asked.
  const ours = told !== undefined && told.customerId === caller.customerId && told.siteId === siteId;
  const atOnce = ours && (await control.close(id, told.gatewayId, by));
  const asCaller = <T>(work: Parameters<typeof database.asCustomer<T>>[1]) =>
    within(RECORD_MS, database.asCustomer(caller.customerId, work));
  try {
    const closed =
      atOnce ||
      (await closeKnownToDatabase(await asCaller((trx) => access.find(trx, siteId, id)), control, by));
    await asCaller((trx) => access.revoke(trx, caller, siteId, id));
    if (closed) return;
    // The gateway may have come since, and have been told of the grant as it was.
    control.grantChanged(id, undefined);
    throw new NotClosedError();
  } catch (error) {
    const unrecorded = error instanceof DatabaseLateError || !(error instanceof DomainError);
    if (atOnce && unrecorded) throw new ClosedNotRecordedError({ cause: error });
    throw error;
  }
}

async function closeKnownToDatabase(
  grant: { id: string; gateway_id: string; removed_from_gateway_at: Date | null },
  control: GatewayControl,
  by: string,
): Promise<boolean> {
  return grant.removed_from_gateway_at !== null || (await control.close(grant.id, grant.gateway_id, by));
}

/** @throws when it takes longer; what it waits for may still happen */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DatabaseLateError(ms)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

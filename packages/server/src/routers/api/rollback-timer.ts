/** The rollback timer's entries, over the API. */
import { type RouterClient, type Row, TrapError } from "@portreeve/routeros";
import {
  rollbackTimer,
  rollbackTimerRead,
  SCHEDULER,
  type Step,
  TIMED_NAMES,
} from "../../reconcile/index.ts";
import { observe } from "./observe.ts";

/**
 * Put the entries that undo these steps on the router.
 * @throws TrapError the router takes no entries (device-mode `home`); nothing is left behind
 */
export async function armRollbackTimer(
  client: RouterClient,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  for (const entry of rollbackTimer(steps)) await client.add(SCHEDULER, { ...entry }, { signal });
}

/** The entries that are on the router now. */
export async function findRollbackTimer(client: RouterClient, signal: AbortSignal): Promise<readonly Row[]> {
  return (await observe(client, [rollbackTimerRead], signal)).get(SCHEDULER) ?? [];
}

/**
 * Take the entries away: the change stands.
 * @returns whether the timed one was still there; if not, it has run
 */
export async function disarmRollbackTimer(client: RouterClient, signal: AbortSignal): Promise<boolean> {
  const rows = await findRollbackTimer(client, signal);
  let wasArmed = false;
  // The timed one first: while it is there the change may still be taken back.
  for (const row of rows.toSorted((a, b) => Number(isTimed(b)) - Number(isTimed(a)))) {
    const removed = await removeEntry(client, row[".id"] ?? "", signal);
    if (isTimed(row)) wasArmed = removed;
  }
  return wasArmed;
}

const isTimed = ({ name = "" }: Row): boolean => TIMED_NAMES.includes(name);

async function removeEntry(client: RouterClient, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.remove(SCHEDULER, id, { signal });
    return true;
  } catch (error) {
    if (error instanceof TrapError && error.unknownItem) return false; // it ran between reading and removing
    throw error;
  }
}

/**
 * When sites were last seen and checked, where that is all there is to say: kept here, by the process that checks them,
 * and not written, so that a check that finds everything as it was writes nothing. What is kept is written when it is
 * given up in good order, and every ten minutes in one batch; a process that is killed takes at most so much with it.
 */
import { bucketOf, type Database } from "../database/index.ts";
import { recordSeen } from "./store.ts";
import { recordChecked } from "./sync.ts";

/** Milliseconds since 1970 by the database's clock. */
export interface Sighting {
  readonly seenAt?: number;
  readonly checkedAt?: number;
}

export class Sightings {
  readonly #database: Database;
  readonly #now: () => Date;
  readonly #isOurs: (siteId: string) => boolean;
  readonly #unwritten = new Map<string, Sighting>();

  /**
   * @param now the database's time; the host's unless given
   * @param isOurs this process works for the site; what is seen of another's, by a preview or by a run that lost its
   *   lease, is that one's to say
   */
  constructor(
    database: Database,
    now: () => Date = () => new Date(),
    isOurs: (siteId: string) => boolean = () => true,
  ) {
    this.#database = database;
    this.#now = now;
    this.#isOurs = isOurs;
  }

  /** Somebody has logged in to the router now. */
  seen(siteId: string): void {
    this.#note(siteId, { seenAt: this.#now().getTime() });
  }

  /** A run has ended now, whatever came of it. */
  checked(siteId: string): void {
    this.#note(siteId, { checkedAt: this.#now().getTime() });
  }

  /** What is not written yet. */
  of(siteId: string): Sighting | undefined {
    return this.#unwritten.get(siteId);
  }

  /** Write what is known of the sites of these buckets, which are being given up; of all that are ours unless given. What can't be written is kept. */
  async write(buckets?: ReadonlySet<number>): Promise<void> {
    const batch = [...this.#unwritten].filter(([id]) =>
      buckets ? buckets.has(bucketOf(id)) : this.#isOurs(id),
    );
    if (batch.length === 0) return;
    const done = await this.#database.asSystem(async (trx) => {
      const seen = batch.map(([, { seenAt }]) => dateOf(seenAt));
      // One that is locked is written by whoever has it, or with the next batch.
      const written = new Set(await recordSeen(trx, idsOf(batch), seen));
      const checked = batch.filter(([id]) => written.has(id));
      await recordChecked(
        trx,
        idsOf(checked),
        checked.map(([, { checkedAt }]) => dateOf(checkedAt)),
      );
      return written;
    });
    for (const [id, sighting] of batch)
      if (done.has(id) && this.#unwritten.get(id) === sighting) this.#unwritten.delete(id);
  }

  /** These sites are another process's: what is known of them here may be old. */
  forget(buckets: ReadonlySet<number>): void {
    for (const id of this.#unwritten.keys()) if (buckets.has(bucketOf(id))) this.#unwritten.delete(id);
  }

  #note(siteId: string, sighting: Sighting): void {
    if (this.#isOurs(siteId)) this.#unwritten.set(siteId, { ...this.#unwritten.get(siteId), ...sighting });
  }
}

function dateOf(time: number | undefined): Date | null {
  return time === undefined ? null : new Date(time);
}

function idsOf(batch: readonly (readonly [string, Sighting])[]): string[] {
  return batch.map(([id]) => id);
}

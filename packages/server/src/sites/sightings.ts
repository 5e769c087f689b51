/**
 * When sites were last seen and checked, and what that took of their lines, where that is all there is to say: kept
 * here, by the process that checks them, and not written, so that a check that finds everything as it was writes nothing. What is kept is written when it is
 * given up in good order, and every ten minutes in one batch; a process that is killed takes at most so much with it.
 */
import { bucketOf, type Database } from "../database/index.ts";
import { recordTraffic, type Traffic } from "./connections.ts";
import { recordSeen } from "./store.ts";
import { recordChecked } from "./sync.ts";

export interface Sighting {
  /** Milliseconds since 1970 by the database's clock, as the next. */
  readonly seenAt?: number;
  readonly checkedAt?: number;
  /** Since it was last written. */
  readonly traffic?: Traffic;
}

const NO_TRAFFIC: Traffic = { sent: 0, received: 0 };

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

  /** So much has gone over the site's line. */
  carried(siteId: string, { sent, received }: Traffic): void {
    if (sent + received === 0) return;
    const before = this.#unwritten.get(siteId)?.traffic ?? NO_TRAFFIC;
    this.#note(siteId, { traffic: { sent: before.sent + sent, received: before.received + received } });
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
      await recordTraffic(
        trx,
        idsOf(checked),
        checked.map(([, { traffic }]) => traffic ?? NO_TRAFFIC),
      );
      return written;
    });
    for (const [id, sighting] of batch) if (done.has(id)) this.#written(id, sighting);
  }

  #written(id: string, sighting: Sighting): void {
    const now = this.#unwritten.get(id);
    if (!now || now === sighting) {
      this.#unwritten.delete(id);
      return;
    }
    // More has come meanwhile: times are written over, bytes are added up.
    const [all, written] = [now.traffic ?? NO_TRAFFIC, sighting.traffic ?? NO_TRAFFIC];
    const traffic = { sent: all.sent - written.sent, received: all.received - written.received };
    this.#unwritten.set(id, { ...now, traffic });
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

/**
 * What the API says of when sites were seen: what is stored, or what the process that checks them knows since. That one
 * is asked, in one request for all its sites, at the address of its internal listener; where that can't be reached or
 * does not answer at once, what is stored is shown, at most ten minutes old.
 */
import { sql } from "kysely";
import { z } from "zod";
import { bucketOf, type Database } from "../database/index.ts";
import type { Sighting, Sightings } from "./sightings.ts";
import type { SiteRow } from "./store.ts";

/** Longest an answer of the API waits for another process, milliseconds. */
const ANSWER_MS = 300;
/** How long the addresses of the holders are remembered, milliseconds. */
const HOLDERS_MS = 2_000;
/** After a request that failed its address is left alone, milliseconds. */
const SILENT_MS = 2_000;
const known = z.record(
  z.string(),
  z.object({
    seenAt: z.number().optional(),
    checkedAt: z.number().optional(),
    traffic: z.object({ sent: z.number(), received: z.number() }).optional(),
  }),
);
const asked = z.object({ ids: z.array(z.string()).max(1_000) });

/** The question `sightings`, answered by the process that checks the sites. */
export async function answerSightings(sightings: Sightings, input: unknown): Promise<z.infer<typeof known>> {
  const { ids } = asked.parse(input);
  return Object.fromEntries(ids.flatMap((id) => entryOf(id, sightings.of(id))));
}

/** Asks the process whose internal listener is at this address. */
export type AskProcess = (
  address: string,
  question: string,
  input: unknown,
  signal: AbortSignal,
) => Promise<unknown>;

function entryOf(id: string, sighting: Sighting | undefined): [string, Sighting][] {
  return sighting ? [[id, sighting]] : [];
}

export class LatestSightings {
  readonly #database: Database;
  readonly #askProcess: AskProcess;
  /** host:port of the holder of each bucket. */
  #holders: Promise<ReadonlyMap<number, string>> | undefined;
  #holdersUntil = 0;
  readonly #silentUntil = new Map<string, number>();

  constructor(database: Database, askProcess: AskProcess) {
    this.#database = database;
    this.#askProcess = askProcess;
  }

  /** The rows with the latest times. Never fails: what can't be asked is shown as it is stored. */
  async over(rows: readonly SiteRow[]): Promise<SiteRow[]> {
    const latest = await this.#ofHolders(rows.map(({ id }) => id));
    return rows.map((row) => withLatest(row, latest.get(row.id)));
  }

  async #ofHolders(ids: readonly string[]): Promise<ReadonlyMap<string, Sighting>> {
    const holders = await this.#currentHolders().catch(() => new Map<number, string>());
    const byAddress = Map.groupBy(ids, (id) => holders.get(bucketOf(id)));
    byAddress.delete(undefined);
    const answers = [...byAddress].map(([address, ofHolder]) => this.#ask(address as string, ofHolder));
    return new Map(
      (await Promise.all(answers)).flatMap((answer) => Object.entries(answer)) as [string, Sighting][],
    );
  }

  #currentHolders(): Promise<ReadonlyMap<number, string>> {
    if (this.#holders && performance.now() < this.#holdersUntil) return this.#holders;
    this.#holdersUntil = performance.now() + HOLDERS_MS;
    this.#holders = this.#readHolders();
    return this.#holders;
  }

  async #readHolders(): Promise<ReadonlyMap<number, string>> {
    const { rows } = await this.#database.asSystem((trx) =>
      sql<{ bucket: number; address: string }>`
        select bucket, address from bucket_leases join members on members.id = holder
         where address is not null`.execute(trx),
    );
    return new Map(rows.map(({ bucket, address }) => [bucket, address]));
  }

  async #ask(address: string, ids: readonly string[]): Promise<z.infer<typeof known>> {
    if ((this.#silentUntil.get(address) ?? 0) > performance.now()) return {};
    try {
      const answer = await this.#askProcess(address, "sightings", { ids }, AbortSignal.timeout(ANSWER_MS));
      return known.parse(answer);
    } catch {
      this.#silentUntil.clear(); // of processes that are gone, too
      this.#silentUntil.set(address, performance.now() + SILENT_MS);
      return {};
    }
  }
}

function withLatest(row: SiteRow, sighting: Sighting | undefined): SiteRow {
  if (!sighting) return row;
  return {
    ...row,
    last_seen_at: later(row.last_seen_at, sighting.seenAt),
    sync_checked_at: later(row.sync_checked_at, sighting.checkedAt),
    bytes_sent: more(row.bytes_sent, sighting.traffic?.sent),
    bytes_received: more(row.bytes_received, sighting.traffic?.received),
  };
}

function more(stored: string, bytes: number | undefined): string {
  return bytes === undefined ? stored : String(BigInt(stored) + BigInt(bytes));
}

function later(stored: Date | null, time: number | undefined): Date | null {
  return time !== undefined && time > (stored?.getTime() ?? 0) ? new Date(time) : stored;
}

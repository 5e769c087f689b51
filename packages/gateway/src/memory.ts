/** What a gateway remembers across its own restarts, and across a database that is set back: its journal, in words. */
import { randomUUID } from "node:crypto";
import type { CloseReason } from "./byte-path/types.ts";
import { Journal, type JournalValue } from "./journal.ts";

/** A grant that ended before the time the database had given it. */
export interface EndedGrant {
  readonly reason: CloseReason;
  readonly by: string | undefined;
  /** By the database's clock, milliseconds since 1970: from then on nobody opens it anyway. */
  readonly endsAtMs: number;
}

const ENDED = "ended:";

export class GatewayMemory implements AsyncDisposable {
  readonly #journal: Journal;

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** @param onBroken told where a journal that can't be read was put aside */
  static async open(path: string, onBroken: (aside: string) => void): Promise<GatewayMemory> {
    const journal = await Journal.open(path, onBroken);
    if (journal.get("id") === undefined) await journal.put({ id: randomUUID() });
    return new GatewayMemory(journal);
  }

  /** Tells this journal from one that took its place. */
  get id(): string {
    return String(this.#journal.get("id"));
  }

  /** The database it has served; undefined before the first. */
  get system(): string | undefined {
    return this.#journal.get("system") as string | undefined;
  }

  /** Highest sequence of a grant that was opened. */
  get sequence(): number {
    return Number(this.#journal.get("sequence") ?? 0);
  }

  /** Highest time the database has shown, milliseconds since 1970. */
  get databaseTimeMs(): number {
    return Number(this.#journal.get("databaseTimeMs") ?? 0);
  }

  /** Begin with another database, or with an older state of it. */
  serve(system: string, sequence: number): Promise<void> {
    if (system === this.system && sequence === this.sequence) return Promise.resolve();
    return this.#journal.put({ system, sequence });
  }

  /** Safe when it resolves, as everything here. */
  opened(sequence: number, databaseTimeMs: number): Promise<void> {
    return this.#journal.put({ sequence: Math.max(sequence, this.sequence), ...this.#time(databaseTimeMs) });
  }

  ended(grant: string, { reason, by, endsAtMs }: EndedGrant, databaseTimeMs: number): Promise<void> {
    const value: JournalValue = { reason, by: by ?? null, endsAtMs };
    return this.#journal.put({ [ENDED + grant]: value, ...this.#time(databaseTimeMs) });
  }

  /** Remember the time, and forget grants that have ended by it. */
  passed(databaseTimeMs: number): Promise<void> {
    const over = [...this.#journal.entries()].filter(
      ([key, value]) =>
        key.startsWith(ENDED) && (value as { endsAtMs: number }).endsAtMs <= this.databaseTimeMs,
    );
    const forgotten = Object.fromEntries(over.map(([key]) => [key, undefined]));
    return this.#journal.put({ ...forgotten, ...this.#time(databaseTimeMs) });
  }

  /** @returns undefined for a grant that has not ended before its time */
  endedBefore(grant: string): EndedGrant | undefined {
    const value = this.#journal.get(ENDED + grant) as
      | { reason: CloseReason; by: string | null; endsAtMs: number }
      | undefined;
    return value && { ...value, by: value.by ?? undefined };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#journal[Symbol.asyncDispose]();
  }

  #time(databaseTimeMs: number) {
    return { databaseTimeMs: Math.max(Math.floor(databaseTimeMs), this.databaseTimeMs) };
  }
}

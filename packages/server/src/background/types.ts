import type { Lease } from "../database/index.ts";

/** What a run came to, and when the key has its next turn. */
export type Status =
  /** In a period. */
  | { readonly state: "done" }
  /** In a period, which is the retry. */
  | { readonly state: "failed"; readonly reason: string }
  /** Whoever was asked did not answer: in a period, and until it answers only in slots that such keys share. */
  | { readonly state: "unanswered"; readonly reason: string }
  /** The run goes on from the database when `wakeKey` (or the key itself) is woken, or at `until`. */
  | { readonly state: "waiting"; readonly until: Date; readonly wakeKey?: string }
  /** Never, unless it is listed or woken again. */
  | { readonly state: "ended" };

interface AnyTask {
  /** One word, for logs, metrics and readiness. */
  readonly name: string;
  readonly periodMs: number;
  /** Runs at a time in this process. */
  readonly concurrency: number;
  /** So many periods pass until all keys have been listed again; 10 unless told. What changes meanwhile is woken. */
  readonly listPeriods?: number;
}

/** Work that one process in the whole installation does at a time, for each key: by the lease of the key's bucket. */
export interface LeasedTask extends AnyTask {
  readonly claim: "bucket";
  /** The keys of these buckets that have something to be done. */
  list(buckets: readonly number[]): Promise<readonly string[]>;
  /** @param isWoken false: its turn has come, and nothing else; a wake may have been for this key, or for all */
  run(key: string, signal: AbortSignal, lease: Lease, isWoken: boolean): Promise<Status>;
}

/** Work that each process does for itself, or that is claimed by what it does. */
export interface OwnTask extends AnyTask {
  readonly claim: "none";
  list(): Promise<readonly string[]>;
  run(key: string, signal: AbortSignal): Promise<Status>;
}

export type Task = LeasedTask | OwnTask;

/** How a task stands in this process. */
export interface TaskStatus {
  readonly name: string;
  /** Keys it keeps time for. */
  readonly keys: number;
  readonly running: number;
  /** Due or woken, and waiting for a slot. */
  readonly queued: number;
  /** Ends of runs since the start, by what they came to. */
  readonly runs: Readonly<Record<Status["state"], number>>;
  /** Why it does not work at the moment. */
  readonly problem: string | undefined;
}

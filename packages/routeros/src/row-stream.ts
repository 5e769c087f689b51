/**
 * Rows of a command that never ends by itself, between the socket and a reader of any speed.
 *
 * Above PAUSE_BYTES of unread rows the connection is asked to stop reading (it does where nobody else waits for
 * a reply), below half of that to continue. Where it cannot stop, MAX_BYTES is the end: the caller is told that it
 * has missed rows, instead of memory growing.
 */

import type { Row } from "./codec/row.ts";

/** Unread rows, in bytes as they came over the wire. */
const PAUSE_BYTES = 1024 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;

/** A row costs memory even when it is empty. */
const ROW_OVERHEAD_BYTES = 64;

interface Unread {
  readonly row: Row;
  readonly bytes: number;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<Row, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

export interface RowStreamOwner {
  /** The reader falls behind, or has caught up again. */
  readonly pressure: (isBehind: boolean) => void;
  /** The reader wants no more rows. */
  readonly stop: () => void;
}

export class RowStream implements AsyncIterableIterator<Row, undefined> {
  readonly #owner: RowStreamOwner;
  #unread: Unread[] = [];
  /** Index of the first unread row; the array is cut now and then, not for each row. */
  #head = 0;
  #bytes = 0;
  #isBehind = false;
  #waiting: Waiting[] = [];
  #ended: { readonly error?: unknown } | undefined;

  constructor(owner: RowStreamOwner) {
    this.#owner = owner;
  }

  /** Take a row off the wire; returns false when the bound is passed and the stream has to be abandoned. */
  push(row: Row, wireBytes: number): boolean {
    if (this.#ended) return true;
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve({ value: row, done: false });
      return true;
    }
    const bytes = wireBytes + ROW_OVERHEAD_BYTES;
    this.#unread.push({ row, bytes });
    this.#bytes += bytes;
    this.#regulate();
    return this.#bytes <= MAX_BYTES;
  }

  /** No more rows will come: the unread ones are still handed out, then the end or the error. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = error === undefined ? {} : { error };
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting);
  }

  next(): Promise<IteratorResult<Row, undefined>> {
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Row, undefined>>();
    const unread = this.#unread[this.#head];
    if (unread) {
      this.#take(unread);
      resolve({ value: unread.row, done: false });
    } else if (this.#ended) this.#finish({ resolve, reject });
    else this.#waiting.push({ resolve, reject });
    return promise;
  }

  /** The reader leaves its loop: what is unread is dropped and the command cancelled. */
  async return(): Promise<IteratorResult<Row, undefined>> {
    this.#unread = [];
    this.#head = 0;
    this.#bytes = 0;
    this.end();
    this.#owner.stop();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take({ bytes }: Unread): void {
    this.#bytes -= bytes;
    this.#head += 1;
    if (this.#head === this.#unread.length || this.#head === 1024) {
      this.#unread = this.#unread.slice(this.#head);
      this.#head = 0;
    }
    this.#regulate();
  }

  #regulate(): void {
    const bound = this.#isBehind ? PAUSE_BYTES / 2 : PAUSE_BYTES;
    if (this.#bytes > bound === this.#isBehind) return;
    this.#isBehind = !this.#isBehind;
    this.#owner.pressure(this.#isBehind);
  }

  /** An error is told once; after it the stream is just at its end. */
  #finish({ resolve, reject }: Waiting): void {
    const { error } = this.#ended ?? {};
    this.#ended = {};
    if (error === undefined) resolve({ value: undefined, done: true });
    else reject(error);
  }
}

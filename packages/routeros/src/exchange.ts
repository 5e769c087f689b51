/**
 * One command on its way and what has come back for it. Ends exactly once: with the reply, with the router's
 * refusal, or abandoned (deadline, abort, a bound, the connection's end).
 */

import { emptyRow, type Row } from "./codec/row.ts";
import type { Sentence } from "./codec/sentence.ts";
import type { Word } from "./codec/word.ts";
import { describeCommand, scrub, secretValues } from "./command.ts";
import {
  CommandTimeoutError,
  ConnectionClosedError,
  FatalError,
  ProtocolError,
  ReplyTooLargeError,
  type RouterOsError,
  TrapError,
} from "./errors.ts";

/** The whole reply to one command. */
export interface Reply {
  readonly rows: Row[];
  /** The value in `!done`: the new `.id` of an `add`, a count, the output of a script. */
  readonly ret?: string;
  /** Whether the router said so with `!empty` (7.18 and later); older versions just send no rows. */
  readonly empty: boolean;
}

export interface ReplyLimits {
  /** Rows in one reply. */
  readonly maxReplyRows: number;
  /** Bytes of all sentences of one reply as they came over the wire. */
  readonly maxReplyBytes: number;
}

/** What holds for a command that does not say otherwise. */
export interface ExchangeDefaults extends ReplyLimits {
  /** For the whole reply, ms; Infinity for none. */
  readonly timeoutMs: number;
}

export interface ExchangeOptions extends Partial<ExchangeDefaults> {
  readonly signal?: AbortSignal | undefined;
  /** Takes each row with its wire bytes instead of keeping it; the bounds above are then the taker's. */
  readonly onRow?: (row: Row, bytes: number) => void;
}

export class Exchange {
  /** The command path, such as `/ip/address/print`. */
  readonly operation: string;
  readonly tag: string;
  readonly result: Promise<Reply>;
  /** When it is abandoned, on the clock of `performance.now()`, ms; Infinity for never. */
  readonly deadline: number;
  /** Whether its bytes were handed to the socket: from then on its effect is unknown until a reply came. */
  sent = false;

  readonly #words: readonly Word[];
  readonly #options: ExchangeOptions;
  readonly #timeoutMs: number;
  readonly #maxReplyRows: number;
  readonly #maxReplyBytes: number;
  readonly #abandon: (exchange: Exchange, error: unknown) => void;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort: (() => void) | undefined;
  readonly #rows: Row[] = [];
  #traps: Row[] | undefined;
  #bytes = 0;
  #empty = false;

  /** @param abandon called when signal or a bound ends the command; it must call {@link fail} */
  constructor(
    words: readonly Word[],
    tag: string,
    defaults: ExchangeDefaults,
    options: ExchangeOptions,
    abandon: (exchange: Exchange, error: unknown) => void,
  ) {
    this.operation = String(words[0]);
    this.tag = tag;
    this.#words = words;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
    this.#maxReplyRows = options.maxReplyRows ?? defaults.maxReplyRows;
    this.#maxReplyBytes = options.maxReplyBytes ?? defaults.maxReplyBytes;
    this.#abandon = abandon;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.deadline = performance.now() + this.#timeoutMs;
    const { signal } = options;
    if (!signal) return;
    this.#onAbort = () => this.#abandon(this, signal.reason);
    signal.addEventListener("abort", this.#onAbort);
  }

  /** What its deadline passing means. */
  get timeout(): CommandTimeoutError {
    return new CommandTimeoutError(this.operation, this.#timeoutMs);
  }

  /** Values that must not show up in an error, should the router say them back. */
  get secrets(): string[] {
    return secretValues(this.#words);
  }

  /** Take a sentence of this command; returns whether it was the last. Unknown reply words are passed over. */
  accept(sentence: Sentence): boolean {
    this.#bytes += sentence.byteLength;
    const first = sentence.first;
    if (first === "!re") this.#row(sentence);
    else if (first === "!trap") this.#trap(sentence);
    else if (first === "!empty") this.#empty = true;
    else if (first === "!done") {
      this.#finish(sentence.attribute("ret"));
      return true;
    }
    if (this.#bytes > this.#maxReplyBytes) this.#tooLarge(`${this.#maxReplyBytes} bytes`);
    return false;
  }

  fail(error: unknown): void {
    this.#release();
    this.#reject(error);
  }

  /** The connection ended. What that means for this command depends on whether it had left. */
  lose(reason: RouterOsError | undefined): void {
    const operation = this.operation;
    if (this.sent && reason instanceof FatalError) {
      this.fail(new FatalError(reason.routerMessage, operation));
    } else if (this.sent && reason instanceof ProtocolError) {
      this.fail(new ProtocolError(reason.message, { operation, cause: reason }));
    } else {
      const outcome = this.sent ? "unknown" : "not-sent";
      const why = reason?.message ?? "the connection was closed here";
      this.fail(new ConnectionClosedError(why, { operation, outcome, cause: reason }));
    }
  }

  #row(sentence: Sentence): void {
    const row = sentence.attributes();
    if (this.#options.onRow) {
      this.#bytes = 0;
      this.#options.onRow(row, sentence.byteLength);
      return;
    }
    this.#rows.push(row);
    if (this.#rows.length > this.#maxReplyRows) this.#tooLarge(`${this.#maxReplyRows} rows`);
  }

  #trap(sentence: Sentence): void {
    this.#traps ??= [];
    this.#traps.push(sentence.attributes());
  }

  #finish(ret: string | undefined): void {
    if (this.#traps) {
      this.fail(this.#trapError(this.#traps));
      return;
    }
    this.#release();
    const reply = { rows: this.#rows, empty: this.#empty };
    this.#resolve(ret === undefined ? reply : { ...reply, ret });
  }

  #trapError(seen: readonly Row[]): TrapError {
    const secrets = this.secrets;
    const traps = seen.map((trap) => {
      const clean = emptyRow();
      for (const [name, value] of Object.entries(trap)) clean[name] = scrub(value, secrets);
      return clean;
    });
    return new TrapError(traps, { operation: this.operation, command: describeCommand(this.#words) });
  }

  #tooLarge(bound: string): void {
    const message = `the reply passes its bound of ${bound}`;
    this.#abandon(this, new ReplyTooLargeError(message, { operation: this.operation }));
  }

  #release(): void {
    if (this.#onAbort) this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * Many commands over one connection: tags, replies to their commands, cancelling, batching. No I/O of its own.
 *
 * Each command gets a tag that is never used again, so a late answer to a command that was abandoned finds
 * nobody and is passed over. Giving one up sends `/cancel` for its tag and leaves the others alone.
 */

import type { Row } from "./codec/row.ts";
import { type Sentence, sentenceText } from "./codec/sentence.ts";
import { TAG_PREFIX, type Word } from "./codec/word.ts";
import { scrub } from "./command.ts";
import { Deadlines } from "./deadlines.ts";
import { FatalError, ProtocolError, ReplyTooLargeError, type RouterOsError } from "./errors.ts";
import { Exchange, type ExchangeDefaults, type ExchangeOptions, type Reply } from "./exchange.ts";
import { RowStream } from "./row-stream.ts";

/** What the multiplexer needs of the socket. */
export interface Link {
  /** One character per byte. */
  readonly write: (bytes: string) => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** The login goes without a tag, as in every captured exchange. */
const UNTAGGED = "";

/** What a router may continue to send for commands that were abandoned, until another command ends well. */
const MAX_UNCLAIMED_BYTES = 64 * 1024 * 1024;

/** What waits for it runs when the code at hand is through, before anything else. */
const NOW = Promise.resolve();

interface Outgoing {
  /** One character per byte. */
  readonly bytes: string;
  /** The command they are, unless they only cancel one. */
  readonly exchange?: Exchange;
}

export class Multiplexer {
  readonly #link: Link;
  readonly #defaults: ExchangeDefaults;
  readonly #deadlines: Deadlines;
  readonly #exchanges = new Map<string, Exchange>();
  /** Those of the exchanges that never end by themselves, and those among them whose reader is behind. */
  readonly #streams = new Map<Exchange, RowStream>();
  readonly #behind = new Set<Exchange>();
  /** The one the next sentence probably belongs to: it got the last one, or nothing else was on its way. */
  #likely: Exchange | undefined;
  #lastTag = 0;
  #outgoing: Outgoing[] = [];
  #unclaimedBytes = 0;
  #isPaused = false;

  constructor(link: Link, defaults: ExchangeDefaults) {
    this.#link = link;
    this.#defaults = defaults;
    this.#deadlines = new Deadlines((now) => this.#expire(now));
  }

  /** Send a command under a tag of its own. */
  start(words: readonly Word[], options: ExchangeOptions = {}): Promise<Reply> {
    return this.#start(words, this.#nextTag(), options).result;
  }

  /** Send a command without a tag. Only one at a time, and nothing else meanwhile: the login. */
  startUntagged(words: readonly Word[], options: ExchangeOptions = {}): Promise<Reply> {
    return this.#start(words, UNTAGGED, options).result;
  }

  /** Send a command that never ends by itself; leaving the iteration cancels it. */
  startStream(words: readonly Word[], signal: AbortSignal | undefined): RowStream {
    const rows: RowStream = new RowStream({
      stop: () => this.#abandon(exchange, undefined),
      pressure: (isBehind) => {
        if (isBehind) this.#behind.add(exchange);
        else this.#behind.delete(exchange);
        this.#regulate();
      },
    });
    const onRow = (row: Row, bytes: number): void => {
      if (rows.push(row, bytes)) return;
      const message = "the reader of the rows is too far behind";
      this.#abandon(exchange, new ReplyTooLargeError(message, { operation: exchange.operation }));
    };
    const exchange = this.#start(words, this.#nextTag(), {
      signal,
      onRow,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    this.#streams.set(exchange, rows);
    this.#regulate();
    exchange.result.then(
      () => rows.end(),
      (error: unknown) => rows.end(error),
    );
    return rows;
  }

  /**
   * Take a sentence off the wire.
   * @returns why the connection has to end, where this sentence ends it
   */
  receive(sentence: Sentence): RouterOsError | undefined {
    if (sentence.first === "!fatal") return new FatalError(this.#scrubbed(fatalText(sentence)), "connection");
    const likely = this.#likely;
    const exchange =
      likely && sentence.hasTag(likely.tag) ? likely : this.#exchanges.get(sentence.tag ?? UNTAGGED);
    if (!exchange) return this.#passOver(sentence);
    this.#likely = exchange;
    if (exchange.accept(sentence)) {
      this.#unclaimedBytes = 0;
      this.#forget(exchange);
    }
    return undefined;
  }

  /** End every command because the connection ended. */
  failAll(reason: RouterOsError | undefined): void {
    this.#deadlines.clear();
    for (const exchange of [...this.#exchanges.values()]) {
      this.#forget(exchange);
      exchange.lose(reason);
    }
  }

  /** End the streams (their readers still get what came), and wait until every other command has ended. */
  async finish(): Promise<void> {
    for (const [exchange, rows] of [...this.#streams]) {
      rows.end();
      this.#abandon(exchange, undefined);
    }
    await Promise.allSettled([...this.#exchanges.values()].map((exchange) => exchange.result));
    this.#deadlines.clear();
    this.#flush();
  }

  /** All commands issued in one turn of the event loop leave in one write. */
  #flush = (): void => {
    let batch = "";
    for (const { bytes, exchange } of this.#outgoing) {
      if (exchange) {
        if (this.#exchanges.get(exchange.tag) !== exchange) continue; // abandoned before it left
        exchange.sent = true;
      }
      batch += bytes;
    }
    this.#outgoing = [];
    if (batch !== "") this.#link.write(batch);
  };

  #start(words: readonly Word[], tag: string, options: ExchangeOptions): Exchange {
    options.signal?.throwIfAborted();
    const bytes = sentenceText(words, tag === UNTAGGED ? undefined : TAG_PREFIX + tag);
    const exchange = new Exchange(words, tag, this.#defaults, options, this.#abandon);
    this.#exchanges.set(tag, exchange);
    this.#likely ??= exchange;
    this.#deadlines.add(exchange.deadline);
    this.#send({ bytes, exchange });
    this.#regulate();
    return exchange;
  }

  #nextTag(): string {
    this.#lastTag += 1;
    return String(this.#lastTag);
  }

  #send(outgoing: Outgoing): void {
    this.#outgoing.push(outgoing);
    if (this.#outgoing.length > 1) return;
    // Where others wait for replies, those who get theirs in this turn are about to continue: their commands go along.
    if (this.#exchanges.size > 1) process.nextTick(this.#flush);
    else void NOW.then(this.#flush);
  }

  /** End a command ahead of its reply and tell the router to stop it. */
  #abandon = (exchange: Exchange, error: unknown): void => {
    if (!this.#forget(exchange)) return;
    exchange.fail(error);
    if (!exchange.sent || exchange.tag === UNTAGGED) return;
    this.#send({ bytes: sentenceText(["/cancel", `=tag=${exchange.tag}`], TAG_PREFIX + this.#nextTag()) });
  };

  #expire(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const exchange of this.#exchanges.values()) {
      if (exchange.deadline > now) next = Math.min(next, exchange.deadline);
      else this.#abandon(exchange, exchange.timeout);
    }
    return next;
  }

  #forget(exchange: Exchange): boolean {
    if (this.#exchanges.get(exchange.tag) !== exchange) return false;
    this.#exchanges.delete(exchange.tag);
    if (this.#likely === exchange) this.#likely = undefined;
    this.#streams.delete(exchange);
    this.#behind.delete(exchange);
    this.#regulate();
    return true;
  }

  /** A paused socket keeps every reply waiting, so it is paused only while streams are alone on it. */
  #regulate(): void {
    const isPaused = this.#behind.size > 0 && this.#exchanges.size === this.#streams.size;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#link.pause();
    else this.#link.resume();
  }

  #passOver(sentence: Sentence): RouterOsError | undefined {
    this.#unclaimedBytes += sentence.byteLength;
    if (this.#unclaimedBytes <= MAX_UNCLAIMED_BYTES) return undefined;
    const message = "the router continues answering commands that were abandoned";
    return new ProtocolError(message, { operation: "connection" });
  }

  #scrubbed(text: string): string {
    return [...this.#exchanges.values()].reduce((rest, exchange) => scrub(rest, exchange.secrets), text);
  }
}

/** RouterOS sends a bare word (`not logged in`); some devices in between say `=message=`. */
function fatalText(sentence: Sentence): string {
  return sentence.texts().join(" ") || sentence.attribute("message") || "no reason given";
}

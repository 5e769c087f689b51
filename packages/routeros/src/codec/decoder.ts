/**
 * Bytes to sentences, however TCP cut them.
 *
 * A sentence that lies whole in a chunk is decoded straight from it. Only one that is cut by a chunk's end is
 * held until the rest arrives, in a buffer that grows with the bytes received and never with the length
 * announced. Every limit is checked when a length is announced, before its bytes are waited for.
 */

import { ProtocolError } from "../errors.ts";
import { DecodeError } from "./decode-error.ts";
import { announcedPrefixSize, readLength } from "./length.ts";
import { Sentence } from "./sentence.ts";
import { type Shape, Shapes } from "./shape.ts";
import { viewOf, Wire } from "./wire.ts";

export interface DecoderLimits {
  /** Longest word, bytes. The five-byte length form can announce 4 GiB. */
  readonly maxWordBytes: number;
  /** Words in one sentence. */
  readonly maxSentenceWords: number;
  /** Bytes in one sentence, length prefixes included. */
  readonly maxSentenceBytes: number;
}

/** Above the largest replies known (file contents below 60 KiB, script output and exports of some hundred KiB). */
export const DEFAULT_DECODER_LIMITS: DecoderLimits = {
  maxWordBytes: 1024 * 1024,
  maxSentenceWords: 32_768,
  maxSentenceBytes: 4 * 1024 * 1024,
};

/** Empty sentences in a row. They mean nothing, so a peer that sends them for ever would only cost us time. */
const MAX_EMPTY_SENTENCES = 1_000;

/** A cut sentence starts in a buffer of this size; most are shorter. */
const HOLD_BYTES = 4096;

const NOTHING: Buffer = Buffer.alloc(0);

/** Turns the chunks of one stream into sentences. After a ProtocolError the stream is lost: it throws again. */
export class SentenceDecoder {
  readonly #limits: DecoderLimits;
  #failure: ProtocolError | undefined;

  /** The chunk at hand. */
  #chunk = NOTHING;
  #view = viewOf(NOTHING);
  /** The bytes received of a sentence that a chunk's end cut; the first `#heldBytes` count. */
  #held = NOTHING;
  #heldView = viewOf(NOTHING);
  #heldBytes = 0;

  /** The sentence being read: its complete words, what is known of them, where the next prefix lies from its start. */
  #words = 0;
  #shape: Shape;
  #next = 0;
  readonly #shapes = new Shapes();
  /** Empty sentences since the last one that was not. */
  #empty = 0;
  /** Bytes behind those at hand that are needed before another step is possible. */
  #missing = 0;

  constructor(limits: Partial<DecoderLimits> = {}) {
    this.#limits = { ...DEFAULT_DECODER_LIMITS, ...limits };
    this.#shape = this.#shapes.root;
  }

  /** Bytes of an unfinished sentence received so far; 0 between sentences. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Take the next bytes of the stream and return the sentences they complete, in order. Empty sentences are
   * left out. The chunk may be reused afterwards.
   * @throws ProtocolError reserved length byte or a limit passed; a DecodeError where sentences of this chunk were
   *   complete before: its `decoded` holds them. Every later call throws it again, without them.
   */
  push(chunk: Uint8Array): Sentence[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const sentences: Sentence[] = [];
    try {
      this.read(bytes, bytes.length, (sentence) => sentences.push(sentence.copy()));
    } catch (error) {
      if (!(error instanceof ProtocolError) || sentences.length === 0) throw error;
      throw new DecodeError(error, sentences);
    } finally {
      this.#look(NOTHING);
    }
    return sentences;
  }

  /**
   * The same for the first `size` bytes of `chunk`, without a copy of each sentence: `take` is given them one by one and
   * may look at each until it returns.
   * @throws ProtocolError as `push`, after the sentences that were complete before were given
   */
  read(chunk: Buffer, size: number, take: (sentence: Sentence) => void): void {
    if (this.#failure) throw this.#failure;
    try {
      this.#decode(chunk, size, take);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure = error;
      this.#letGo();
      throw error;
    }
  }

  #decode(chunk: Buffer, size: number, take: (sentence: Sentence) => void): void {
    let at = this.#heldBytes > 0 ? this.#resume(chunk, size, take) : 0;
    if (at === size) return;
    // A socket reads into one buffer over and over.
    if (chunk !== this.#chunk) this.#look(chunk);
    const wire = new Wire(chunk, size);
    while (at < size) {
      if (!this.#walk(chunk, this.#view, at, size)) {
        this.#hold(chunk, at, size);
        return;
      }
      at = this.#finish(wire, at, take);
    }
  }

  /** Complete the held sentence, taking only what it needs; returns the offset of the first byte left. */
  #resume(chunk: Buffer, size: number, take: (sentence: Sentence) => void): number {
    let at = 0;
    while (at < size) {
      const taken = Math.min(this.#missing, size - at);
      this.#hold(chunk, at, at + taken);
      at += taken;
      if (this.#walk(this.#held, this.#heldView, 0, this.#heldBytes)) {
        const wire = new Wire(this.#held, this.#heldBytes);
        this.#heldBytes = 0;
        // A long sentence does not keep its buffer for the life of the connection.
        if (this.#held.length > HOLD_BYTES) this.#letGo();
        this.#finish(wire, 0, take);
        return at;
      }
    }
    return at;
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(HOLD_BYTES, needed, 2 * this.#held.length));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
      this.#heldView = viewOf(grown);
    }
    chunk.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = needed;
  }

  #letGo(): void {
    this.#held = NOTHING;
    this.#heldView = viewOf(NOTHING);
  }

  #look(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#view = viewOf(chunk);
  }

  /**
   * Go from word to word of the sentence that starts at `base`, from where the last walk stopped.
   * @returns whether its closing empty word was reached; `#next` is then the sentence's size in bytes
   */
  #walk(bytes: Buffer, view: DataView, base: number, end: number): boolean {
    for (;;) {
      const at = base + this.#next;
      if (at >= end) return this.#wait(1);
      let length = bytes[at] ?? 0;
      let size = 1;
      if (length >= 0x80) {
        size = announcedPrefixSize(length);
        if (at + size > end) return this.#wait(at + size - end);
        length = readLength(bytes, at, size);
      }
      const start = this.#next + size;
      if (length === 0) {
        this.#next = start;
        return true;
      }
      this.#check(length, start);
      if (base + start + length > end) return this.#wait(base + start + length - end);
      // Behind a word that is not known none is.
      if (this.#shape.depth === this.#words) {
        this.#shape = this.#shapes.after(this.#shape, bytes, view, base + start, length);
      }
      this.#words += 1;
      this.#next = start + length;
    }
  }

  #wait(missing: number): false {
    this.#missing = missing;
    return false;
  }

  #check(length: number, start: number): void {
    const { maxWordBytes, maxSentenceWords, maxSentenceBytes } = this.#limits;
    if (length > maxWordBytes) throw tooLong(`a word of ${length} bytes`, maxWordBytes);
    if (start + length >= maxSentenceBytes) throw tooLong("a sentence", maxSentenceBytes);
    if (this.#words >= maxSentenceWords) throw tooLong("the words of a sentence", maxSentenceWords);
  }

  #finish(wire: Wire, base: number, take: (sentence: Sentence) => void): number {
    const size = this.#next;
    const words = this.#words;
    const shape = this.#shape;
    this.#next = 0;
    this.#words = 0;
    this.#shape = this.#shapes.root;
    if (words > 0) {
      this.#empty = 0;
      take(new Sentence(wire, base, size, words, shape));
    } else if (++this.#empty > MAX_EMPTY_SENTENCES) {
      throw tooLong("the empty sentences in a row", MAX_EMPTY_SENTENCES);
    }
    return base + size;
  }
}

function tooLong(what: string, limit: number): ProtocolError {
  return new ProtocolError(`${what} passes the limit of ${limit}`, { operation: "decode" });
}

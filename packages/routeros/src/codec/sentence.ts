/**
 * A sentence: words, the first of which says what it is (a command or a reply word), closed by an empty word.
 */

export type { Row } from "./row.ts";

import { ProtocolError } from "../errors.ts";
import { encodeLength } from "./length.ts";
import { emptyRow, NameMemory, type Row } from "./row.ts";
import {
  DOT,
  EQUALS,
  firstNotAscii,
  isAsciiText,
  latin1Of,
  QUESTION_MARK,
  TAG_PREFIX,
  textOf,
  type Word,
} from "./word.ts";

/**
 * Words cut out of a longer text keep all of it alive (V8 shares the characters). Up to this size that is less
 * than copies would take; the words of a larger sentence are copied, so that a name does not hold a file.
 */
const MAX_SHARED_BYTES = 8 * 1024;

/**
 * One decoded sentence.
 *
 * It keeps its own bytes, one character per byte, in one string made by one native call, and the bounds of the
 * words in it. So a sentence never holds the received chunk alive, and text is only cut out where it is asked
 * for.
 */
export class Sentence {
  readonly #bytes: string;
  /** Start and end of each word in `#bytes`: word i lies from [2i] to [2i+1]. */
  readonly #bounds: readonly number[];
  /** Every word that ends before it is its own text. */
  readonly #firstNotAscii: number;
  readonly #isLarge: boolean;

  /** Made by `SentenceDecoder`; `bytes` holds one character per byte. */
  constructor(bytes: string, bounds: readonly number[], isAscii: boolean) {
    this.#bytes = bytes;
    this.#bounds = bounds;
    this.#firstNotAscii = isAscii ? Number.POSITIVE_INFINITY : firstNotAscii(bytes);
    this.#isLarge = bytes.length > MAX_SHARED_BYTES;
  }

  /** How many words, at least one. */
  get length(): number {
    return this.#bounds.length / 2;
  }

  /** Bytes it took on the wire, length prefixes and closing word included. */
  get byteLength(): number {
    return this.#bytes.length;
  }

  /** The first word: a command such as `/ip/address/print`, or a reply word such as `!re`. */
  get first(): string {
    return this.word(0);
  }

  /** The command's label, from the word `.tag=` wherever it stands; undefined without one or when empty. */
  get tag(): string | undefined {
    for (let i = this.length - 1; i >= 1; i--) {
      if (this.#startOf(i) !== DOT) continue;
      const word = this.word(i);
      if (word.startsWith(TAG_PREFIX)) return word.slice(TAG_PREFIX.length) || undefined;
    }
    return undefined;
  }

  /** Text of word `i`: UTF-8 where its bytes are valid UTF-8, otherwise one character per byte; "" past the end. */
  word(i: number): string {
    const latin1 = this.#latin1(i);
    const isText = (this.#bounds[2 * i + 1] ?? 0) <= this.#firstNotAscii || isAsciiText(latin1);
    return isText && !this.#isLarge ? latin1 : textOf(latin1);
  }

  /** The bytes of word `i` exactly as they came, in memory of their own; empty past the end. */
  bytes(i: number): Uint8Array {
    return Buffer.from(this.#latin1(i), "latin1");
  }

  /** The text of every word, in order. */
  words(): string[] {
    return Array.from({ length: this.length }, (_, i) => this.word(i));
  }

  /**
   * All `=name=value` words. The value starts after the second `=` and may hold anything. Of two words with
   * the same name the later counts. A word `=name` without its second `=` is not an attribute.
   * @param names what the sentence before had, to read many alike sentences faster
   */
  attributes(names = new NameMemory()): Row {
    const row = emptyRow();
    const bytes = this.#bytes;
    const bounds = this.#bounds;
    let notAscii = this.#firstNotAscii;
    names.rewind();
    for (let i = 2; i < bounds.length; i += 2) {
      const start = bounds[i] ?? 0;
      const end = bounds[i + 1] ?? 0;
      if (bytes.charCodeAt(start) !== EQUALS) continue;
      const name = names.recall(bytes, start + 1) ?? this.#readName(start + 1, end, names);
      if (name === undefined) continue;
      const value = bytes.slice(start + name.length + 2, end);
      if (notAscii < start) notAscii = firstNotAscii(bytes, start);
      if (end > notAscii || this.#isLarge) row[textOf(name)] = textOf(value);
      else row[name] = value;
    }
    return row;
  }

  /** The value of one attribute, or undefined; cheaper than all of them. */
  attribute(name: string): string | undefined {
    const prefix = `=${name}=`;
    for (let i = this.length - 1; i >= 1; i--) {
      if (this.#startOf(i) !== EQUALS) continue;
      const word = this.word(i);
      if (word.startsWith(prefix)) return word.slice(prefix.length);
    }
    return undefined;
  }

  /** The query words (`?name=x`, `?#|`), in order, which matters. */
  queries(): string[] {
    return this.#wordsWhere((start) => start === QUESTION_MARK);
  }

  /** The words that are neither first, attribute, query nor label; `!fatal` puts its reason there. */
  texts(): string[] {
    return this.#wordsWhere(
      (start, word) =>
        start !== QUESTION_MARK &&
        !(start === EQUALS && word.indexOf("=", 1) !== -1) &&
        !(start === DOT && word.startsWith(TAG_PREFIX)),
    );
  }

  #wordsWhere(wanted: (start: number, word: string) => boolean): string[] {
    const found: string[] = [];
    for (let i = 1; i < this.length; i++) {
      const word = this.word(i);
      if (wanted(this.#startOf(i), word)) found.push(word);
    }
    return found;
  }

  #readName(start: number, end: number, names: NameMemory): string | undefined {
    const nameEnd = this.#bytes.indexOf("=", start);
    if (nameEnd === -1 || nameEnd >= end) return undefined;
    const name = this.#bytes.slice(start, nameEnd);
    names.learn(name);
    return name;
  }

  #startOf(i: number): number {
    return this.#bytes.charCodeAt(this.#bounds[2 * i] ?? 0);
  }

  #latin1(i: number): string {
    const start = this.#bounds[2 * i];
    return start === undefined ? "" : this.#bytes.slice(start, this.#bounds[2 * i + 1]);
  }
}

/**
 * The bytes of one sentence, its closing empty word included. They are put together as one character per byte
 * and written by one native call, which takes half the time of writing word by word.
 * @param words text goes as UTF-8, bytes as they are
 * @throws ProtocolError for an empty word, which would end the sentence early
 */
export function encodeSentence(words: readonly Word[]): Buffer {
  let sentence = "";
  for (const word of words) {
    const bytes = latin1Of(word);
    if (bytes === "")
      throw new ProtocolError("an empty word would end the sentence", { operation: "encode" });
    sentence += prefixOf(bytes.length) + bytes;
  }
  return Buffer.from(`${sentence}\0`, "latin1");
}

function prefixOf(length: number): string {
  return length < 0x80 ? String.fromCharCode(length) : encodeLength(length).toString("latin1");
}

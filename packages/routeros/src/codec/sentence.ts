/**
 * A sentence: words, the first of which says what it is (a command or a reply word), closed by an empty word.
 */

export type { Row } from "./row.ts";

import { ProtocolError } from "../errors.ts";
import { encodeLength, wordEnd, wordStart } from "./length.ts";
import { type Column, emptyRow, type Row, RowMemory } from "./row.ts";
import { DOT, EQUALS, firstNotAscii, latin1Of, ownText, TAG_PREFIX, textOf, type Word } from "./word.ts";

/**
 * Parts cut out of a longer text keep all of it alive. Up to this size that costs less than copying them, which
 * would make large menus a third slower; parts of a larger sentence are copied, so that a name does not hold a
 * file.
 */
const MAX_SHARED_BYTES = 8 * 1024;

/**
 * One decoded sentence.
 *
 * It keeps its own bytes, one character per byte, in one string made by one native call, and goes from word to
 * word by their length prefixes. So a sentence never holds the received chunk alive, and text is only cut out
 * where it is asked for.
 */
export class Sentence {
  /** How many words, at least one. */
  readonly length: number;
  readonly #bytes: string;
  /** Every word that ends before it is its own text. */
  readonly #firstNotAscii: number;
  /** Start and end of each word in `#bytes`, once one is asked for by number: word i is from [2i] to [2i+1]. */
  #bounds: readonly number[] | undefined;
  #first: string | undefined;

  /** Made by `SentenceDecoder`: complete sentences only, `bytes` with one character per byte. */
  constructor(bytes: string, length: number, isAscii: boolean) {
    this.#bytes = bytes;
    this.length = length;
    this.#firstNotAscii = isAscii ? Number.POSITIVE_INFINITY : firstNotAscii(bytes);
  }

  /** Bytes it took on the wire, length prefixes and closing word included. */
  get byteLength(): number {
    return this.#bytes.length;
  }

  /** The first word: a command such as `/ip/address/print`, or a reply word such as `!re`. */
  get first(): string {
    if (this.#first === undefined) {
      const start = wordStart(this.#bytes, 0);
      this.#first = this.#text(start, wordEnd(this.#bytes, 0, start));
    }
    return this.#first;
  }

  /** The command's label, from the word `.tag=` wherever it stands; undefined without one or when empty. */
  get tag(): string | undefined {
    const bytes = this.#bytes;
    let end = 0;
    for (let i = 0; i < this.length; i++) {
      const start = wordStart(bytes, end);
      end = wordEnd(bytes, end, start);
      if (i > 0 && bytes.charCodeAt(start) === DOT && bytes.startsWith(TAG_PREFIX, start)) {
        return this.#text(start + TAG_PREFIX.length, end) || undefined;
      }
    }
    return undefined;
  }

  /** Text of word `i`: UTF-8 where its bytes are valid UTF-8, otherwise one character per byte; "" past the end. */
  word(i: number): string {
    const bounds = this.#wordBounds();
    return this.#text(bounds[2 * i] ?? 0, bounds[2 * i + 1] ?? 0);
  }

  /** The bytes of word `i` exactly as they came, in memory of their own; empty past the end. */
  bytes(i: number): Uint8Array {
    const bounds = this.#wordBounds();
    return Buffer.from(this.#bytes.slice(bounds[2 * i] ?? 0, bounds[2 * i + 1] ?? 0), "latin1");
  }

  /** The text of every word, in order. */
  words(): string[] {
    return Array.from({ length: this.length }, (_, i) => this.word(i));
  }

  /**
   * All `=name=value` words. The value starts after the second `=` and may hold anything. Of two words with
   * the same name the later counts. A word `=name` without its second `=` is not an attribute.
   * @param memory what the rows before had in common, to read many alike rows faster
   */
  attributes(memory = new RowMemory()): Row {
    const row = emptyRow();
    const bytes = this.#bytes;
    let notAscii = this.#firstNotAscii;
    let end = wordEnd(bytes, 0, wordStart(bytes, 0));
    memory.rewind();
    for (let i = 1; i < this.length; i++) {
      const first = bytes.charCodeAt(end);
      const start = first < 0x80 ? end + 1 : wordStart(bytes, end);
      end = first < 0x80 ? start + first : wordEnd(bytes, end, start);
      if (bytes.charCodeAt(start) !== EQUALS) continue;
      const column = memory.recall(bytes, start + 1) ?? this.#readName(start + 1, end, memory);
      if (column === undefined) continue;
      const value = this.#cut(start + column.name.length + 2, end);
      if (notAscii < start) notAscii = firstNotAscii(bytes, start);
      if (end <= notAscii) row[column.name] = column.keep(value);
      else row[textOf(column.name)] = textOf(value);
    }
    return row;
  }

  /** The value of one attribute, or undefined; cheaper than all of them. */
  attribute(name: string): string | undefined {
    const prefix = latin1Of(`=${name}=`);
    const bytes = this.#bytes;
    let value: string | undefined;
    let end = 0;
    for (let i = 0; i < this.length; i++) {
      const start = wordStart(bytes, end);
      end = wordEnd(bytes, end, start);
      if (i > 0 && bytes.startsWith(prefix, start)) value = this.#text(start + prefix.length, end);
    }
    return value;
  }

  /** The query words (`?name=x`, `?#|`), in order, which matters. */
  queries(): string[] {
    return this.#wordsWhere((word) => word.startsWith("?"));
  }

  /** The words that are neither first, attribute, query nor label; `!fatal` puts its reason there. */
  texts(): string[] {
    return this.#wordsWhere((word) => !/^(?:\?|=[^=]*=|\.tag=)/.test(word));
  }

  #wordsWhere(wanted: (word: string) => boolean): string[] {
    const found: string[] = [];
    for (let i = 1; i < this.length; i++) {
      const word = this.word(i);
      if (wanted(word)) found.push(word);
    }
    return found;
  }

  #wordBounds(): readonly number[] {
    if (this.#bounds === undefined) {
      const bounds: number[] = [];
      let end = 0;
      for (let i = 0; i < this.length; i++) {
        const start = wordStart(this.#bytes, end);
        end = wordEnd(this.#bytes, end, start);
        bounds.push(start, end);
      }
      this.#bounds = bounds;
    }
    return this.#bounds;
  }

  #readName(start: number, end: number, memory: RowMemory): Column | undefined {
    const nameEnd = this.#bytes.indexOf("=", start);
    return nameEnd === -1 || nameEnd >= end ? undefined : memory.learn(this.#cut(start, nameEnd));
  }

  #text(start: number, end: number): string {
    const latin1 = this.#cut(start, end);
    return end <= this.#firstNotAscii ? latin1 : textOf(latin1);
  }

  #cut(start: number, end: number): string {
    const part = this.#bytes.slice(start, end);
    return this.#bytes.length > MAX_SHARED_BYTES ? ownText(part) : part;
  }
}

/**
 * The bytes of one sentence, its closing empty word included.
 * @param words text goes as UTF-8, bytes as they are
 * @throws ProtocolError for an empty word, which would end the sentence early
 */
export function encodeSentence(words: readonly Word[]): Buffer {
  return Buffer.from(sentenceText(words), "latin1");
}

/**
 * The bytes of one sentence, one character per byte. Many of them are glued together and written by one native
 * call, which takes half the time of writing word by word.
 * @param label one more word, the last
 */
export function sentenceText(words: readonly Word[], label?: string): string {
  let sentence = "";
  for (const word of words) sentence += wordText(word);
  if (label !== undefined) sentence += wordText(label);
  return `${sentence}\0`;
}

function wordText(word: Word): string {
  const bytes = latin1Of(word);
  if (bytes === "") throw new ProtocolError("an empty word would end the sentence", { operation: "encode" });
  return prefixOf(bytes.length) + bytes;
}

function prefixOf(length: number): string {
  return length < 0x80 ? String.fromCharCode(length) : encodeLength(length).toString("latin1");
}

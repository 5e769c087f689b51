/**
 * A sentence: words, the first of which says what it is (a command or a reply word), closed by an empty word.
 */

import { ProtocolError } from "../errors.ts";
import { encodeLength, wordEnd, wordStart } from "./length.ts";
import { emptyRow, type Row } from "./row.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { Wire } from "./wire.ts";
import { latin1Of, TAG_PREFIX, type Word } from "./word.ts";

/**
 * One decoded sentence.
 *
 * It lies among others in the bytes received and goes from word to word by their length prefixes. Text is only cut
 * out where it is asked for, and keeps nothing but itself alive.
 */
export class Sentence {
  /** How many words, at least one. */
  readonly length: number;
  /** Bytes it took on the wire, length prefixes and closing word included. */
  readonly byteLength: number;
  readonly #wire: Wire;
  readonly #base: number;
  /** Of as many of its words as are known. */
  readonly #shape: Shape;

  /** Made by `SentenceDecoder`: complete sentences only. */
  constructor(wire: Wire, base: number, byteLength: number, length: number, shape: Shape) {
    this.#wire = wire;
    this.#base = base;
    this.byteLength = byteLength;
    this.length = length;
    this.#shape = shape;
  }

  /** The same in memory of its own. */
  copy(): Sentence {
    const bytes = Buffer.allocUnsafeSlow(this.byteLength);
    this.#wire.bytes.copy(bytes, 0, this.#base, this.#base + this.byteLength);
    return new Sentence(new Wire(bytes, this.byteLength), 0, this.byteLength, this.length, this.#shape);
  }

  /** The first word: a command such as `/ip/address/print`, or a reply word such as `!re`. */
  get first(): string {
    return this.#shape.depth > 0 ? this.#shape.first : this.word(0);
  }

  /** The command's label, from the word `.tag=` wherever it stands; undefined without one or when empty. */
  get tag(): string | undefined {
    const i = this.#shape.tagAt || this.#findTag();
    if (i === 0) return undefined;
    const [start, end] = this.#bounds(i);
    return this.#wire.text(start + TAG_PREFIX.length, end) || undefined;
  }

  /** Whether its label is this one, which is ASCII, "" for none; cheaper than cutting it out. */
  hasTag(tag: string): boolean {
    const i = this.#shape.tagAt;
    if (i === 0) return (this.tag ?? "") === tag;
    const { bytes } = this.#wire;
    const [start, end] = this.#bounds(i);
    const from = start + TAG_PREFIX.length;
    if (end - from !== tag.length) return false;
    for (let k = 0; k < tag.length; k++) if (bytes[from + k] !== tag.charCodeAt(k)) return false;
    return true;
  }

  /** Text of word `i`: UTF-8 where its bytes are valid UTF-8, otherwise one character per byte; "" past the end. */
  word(i: number): string {
    const [start, end] = this.#bounds(i);
    return this.#wire.text(start, end);
  }

  /** The bytes of word `i` exactly as they came, in memory of their own; empty past the end. */
  bytes(i: number): Uint8Array {
    const [start, end] = this.#bounds(i);
    return Buffer.from(this.#wire.bytes.subarray(start, end));
  }

  /** The text of every word, in order. */
  words(): string[] {
    const words: string[] = [];
    this.#walk((start, end) => words.push(this.#wire.text(start, end)));
    return words;
  }

  /**
   * All `=name=value` words. The value starts after the second `=` and may hold anything. Of two words with
   * the same name the later counts. A word `=name` without its second `=` is not an attribute.
   */
  attributes(): Row {
    const row = emptyRow();
    const wire = this.#wire;
    const { bytes } = wire;
    const { path } = this.#shape;
    const known = path.length;
    let end = wordEnd(bytes, this.#base, wordStart(bytes, this.#base));
    for (let i = 1; i < this.length; i++) {
      const start = wordStart(bytes, end);
      end = wordEnd(bytes, end, start);
      const shape = (i < known ? path[i] : undefined) ?? shapeOf(bytes, start, end);
      if (shape.name !== undefined) row[shape.name] = shape.values.text(wire, start + shape.size, end);
    }
    return row;
  }

  /** The value of one attribute, or undefined; cheaper than all of them. */
  attribute(name: string): string | undefined {
    const wire = this.#wire;
    const { path } = this.#shape;
    let value: string | undefined;
    this.#walk((start, end, i) => {
      const shape = path[i] ?? shapeOf(wire.bytes, start, end);
      if (i > 0 && shape.name === name) value = wire.text(start + shape.size, end);
    });
    return value;
  }

  /** The query words (`?name=x`, `?#|`), in order, which matters. */
  queries(): string[] {
    return this.words().filter((word, i) => i > 0 && word.startsWith("?"));
  }

  /** The words that are neither first, attribute, query nor label; `!fatal` puts its reason there. */
  texts(): string[] {
    return this.words().filter((word, i) => i > 0 && !/^(?:\?|=[^=]*=|\.tag=)/.test(word));
  }

  /** Among the words that are not known; 0 for none. */
  #findTag(): number {
    const { bytes } = this.#wire;
    const { depth } = this.#shape;
    let found = 0;
    if (depth === this.length) return found;
    this.#walk((start, end, i) => {
      if (found === 0 && i > 0 && i >= depth && shapeOf(bytes, start, end).isTag) found = i;
    });
    return found;
  }

  #bounds(i: number): readonly [start: number, end: number] {
    if (i >= this.length) return [0, 0];
    const { bytes } = this.#wire;
    let start = wordStart(bytes, this.#base);
    let end = wordEnd(bytes, this.#base, start);
    for (let k = 0; k < i; k++) {
      const at = end;
      start = wordStart(bytes, at);
      end = wordEnd(bytes, at, start);
    }
    return [start, end];
  }

  #walk(visit: (start: number, end: number, i: number) => void): void {
    const { bytes } = this.#wire;
    let end = this.#base;
    for (let i = 0; i < this.length; i++) {
      const start = wordStart(bytes, end);
      end = wordEnd(bytes, end, start);
      visit(start, end, i);
    }
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

/**
 * What the sentences of a stream have in common, learned from those that came before.
 *
 * The rows of a menu have the same names in the same order. So the beginnings of words (`!re`, `.tag=`, `=name=`) are
 * kept as a tree: each word leads from one shape to the next, mostly to the one it led to last time, and comparing a
 * few bytes tells. No name is cut out and looked up again, and the words of a known sentence are found by number.
 */

import { RepeatedValues } from "./row.ts";
import { beginningSize, DOT, EQUALS, TAG_PREFIX, textOf } from "./word.ts";

/** A peer that invents names must not make us keep them all: with so many, all are forgotten. */
const MAX_SHAPES = 512;
/** Words of a sentence that are learned, and bytes of one beginning: menus have some tens of short names. */
const MAX_DEPTH = 128;
const MAX_BEGINNING_BYTES = 64;

/** A sentence as far as one of its words, values left out. */
export class Shape {
  /** Words so far, the one described here included. */
  readonly depth: number;
  /** Text of the sentence's first word. */
  readonly first: string;
  /** Which word is the tag; 0 for none so far. */
  readonly tagAt: number;
  /** The attribute's name; undefined where the word is none. */
  readonly name: string | undefined;
  readonly isTag: boolean;
  /** Bytes of the word before its value. */
  readonly size: number;
  readonly values = new RepeatedValues();
  /** The shape that followed last, and all that did by their beginnings. */
  next: Shape | undefined;
  following: Map<string, Shape> | undefined;
  readonly #parent: Shape | undefined;
  readonly #beginning: readonly number[];
  #path: readonly Shape[] | undefined;

  /** @param beginning all of a first word, `=name=`, `.tag=`, or nothing for any other word; a character per byte */
  constructor(parent: Shape | undefined, beginning: string) {
    const bytes = Buffer.from(beginning, "latin1");
    const size = bytes.length;
    const isFirst = parent?.depth === 0;
    this.depth = parent ? parent.depth + 1 : 0;
    this.first = isFirst ? textOf(bytes, 0, size) : (parent?.first ?? "");
    this.name = !isFirst && bytes[0] === EQUALS ? textOf(bytes, 1, size - 1) : undefined;
    this.isTag = !isFirst && beginning === TAG_PREFIX;
    this.tagAt = parent?.tagAt || (this.isTag ? this.depth - 1 : 0);
    this.size = size;
    this.#parent = parent;
    this.#beginning = inFours(bytes);
  }

  /** The shape of every word so far. */
  get path(): readonly Shape[] {
    this.#path ??= this.#findPath();
    return this.#path;
  }

  /** Whether the word of `length` bytes at `start` is the one described here. */
  describes(bytes: DataView, start: number, length: number): boolean {
    const { size } = this;
    if (this.depth === 1 ? length !== size : length < size) return false;
    if (size === 0) return isBare(bytes.getUint8(start));
    if (size < 4) return this.#describesShort(bytes, start);
    const beginning = this.#beginning;
    const last = beginning.length - 1;
    for (let i = 0; i < last; i++) if (bytes.getInt32(start + 4 * i, true) !== beginning[i]) return false;
    return bytes.getInt32(start + size - 4, true) === beginning[last];
  }

  #describesShort(bytes: DataView, start: number): boolean {
    return this.#beginning.every((byte, i) => bytes.getUint8(start + i) === byte);
  }

  #findPath(): Shape[] {
    const path: Shape[] = [];
    for (let shape: Shape = this; shape.#parent; shape = shape.#parent) path.push(shape);
    return path.reverse();
  }
}

/** Four bytes to a number, the last four overlapping those before; fewer than four, a byte to a number. */
function inFours(bytes: Buffer): number[] {
  if (bytes.length < 4) return [...bytes];
  const fours: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) fours.push(bytes.readInt32LE(Math.min(at, bytes.length - 4)));
  return fours;
}

/** Whether a word that begins with this byte is neither attribute nor tag, whatever follows. */
function isBare(first: number): boolean {
  return first !== EQUALS && first !== DOT;
}

/** The shape of a word behind the first by itself, for words that are not learned. */
export function shapeOf(bytes: Buffer, start: number, end: number): Shape {
  return new Shape(undefined, bytes.toString("latin1", start, start + beginningSize(bytes, start, end)));
}

/** The shapes of one stream. */
export class Shapes {
  /** A sentence before its first word. */
  root = new Shape(undefined, "");
  #count = 0;

  /** What `shape` becomes with the word of `length` bytes at `start`; itself where the word is not learned. */
  after(shape: Shape, bytes: Buffer, view: DataView, start: number, length: number): Shape {
    const { next } = shape;
    if (next?.describes(view, start, length)) return next;
    const size = shape.depth === 0 ? length : beginningSize(bytes, start, start + length);
    if (size > MAX_BEGINNING_BYTES || shape.depth === MAX_DEPTH) return shape;
    const beginning = bytes.toString("latin1", start, start + size);
    shape.next = shape.following?.get(beginning) ?? this.#learn(shape, beginning);
    return shape.next;
  }

  #learn(shape: Shape, beginning: string): Shape {
    this.#count += 1;
    if (this.#count > MAX_SHAPES) {
      this.root = new Shape(undefined, "");
      this.#count = 0;
    }
    const learned = new Shape(shape, beginning);
    shape.following ??= new Map();
    shape.following.set(beginning, learned);
    return learned;
  }
}

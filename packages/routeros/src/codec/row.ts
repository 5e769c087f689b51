/** The attributes of a sentence as an object that is safe with any name and quick to make. */

import type { Wire } from "./wire.ts";

/** The attributes of one sentence by name, both as RouterOS spells them. */
export type Row = Readonly<Record<string, string>>;

/**
 * A row inherits nothing: its prototype is empty and has no prototype itself, so `__proto__` or `constructor`
 * are names like any other and a name that did not come is undefined. `Object.create(null)` would do the same,
 * but V8 keeps such objects as hash tables, which makes reading a large menu twice as slow.
 */
class EmptyRow {}
Object.setPrototypeOf(EmptyRow.prototype, null);
Reflect.deleteProperty(EmptyRow.prototype, "constructor");
Object.freeze(EmptyRow.prototype);

/** A row without attributes yet. */
export function emptyRow(): Record<string, string> {
  return new EmptyRow() as Record<string, string>;
}

/** After so many new values in a row a property is taken for one that does not repeat, such as ids and counters. */
const MAX_MISSES = 64;
/** Longer values are not kept in case they come again. */
const MAX_KEPT_BYTES = 64;

/** The values one property had in the rows so far. */
export class RepeatedValues {
  #newer = "";
  #older = "";
  #misses = 0;

  /**
   * The text of a value, the same string again where it was one of the last two: most properties are `false`, `tcp` or
   * `ether1` row after row. Saves a quarter of the memory of a large menu.
   */
  text(wire: Wire, start: number, end: number): string {
    const value = wire.text(start, end);
    if (this.#misses > MAX_MISSES || value.length > MAX_KEPT_BYTES) return value;
    if (value === this.#newer) return this.#hit(this.#newer);
    if (value === this.#older) return this.#hit(this.#older);
    this.#misses += 1;
    this.#older = this.#newer;
    this.#newer = value;
    return value;
  }

  #hit(text: string): string {
    this.#misses = 0;
    return text;
  }
}

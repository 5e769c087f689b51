/** Rows of a table by a key made of each. It holds while no two rows have one key. */
export class RowIndex<R extends object> {
  readonly #keyOf: (row: R) => string;
  readonly #rows = new Map<string, R>();
  readonly #keys = new Map<R, string>();

  private constructor(keyOf: (row: R) => string) {
    this.#keyOf = keyOf;
  }

  /** @returns undefined where two rows have one key */
  static of<R extends object>(rows: readonly R[], keyOf: (row: R) => string): RowIndex<R> | undefined {
    const index = new RowIndex(keyOf);
    return rows.every((row) => index.put(row)) ? index : undefined;
  }

  find(key: string): R | undefined {
    return this.#rows.get(key);
  }

  /** A row is new or has other values. @returns false when another row has its key: the index is of no use any more */
  put(row: R): boolean {
    this.drop(row);
    const key = this.#keyOf(row);
    if (this.#rows.has(key)) return false;
    this.#rows.set(key, row);
    this.#keys.set(row, key);
    return true;
  }

  drop(row: R): void {
    const key = this.#keys.get(row);
    if (key === undefined) return;
    this.#keys.delete(row);
    this.#rows.delete(key);
  }
}

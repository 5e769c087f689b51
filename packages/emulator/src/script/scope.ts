/** Names a script has declared where its reader is; an undeclared name is a syntax error. */
export class Names {
  readonly #names = new Set<string>();
  readonly #outer: Names | undefined;
  /** The body of a function and what `:parse` is given: names may come from the call. */
  readonly #open: boolean;

  constructor(outer: Names | undefined, open = false) {
    this.#outer = outer;
    this.#open = open;
  }

  declare(name: string): void {
    this.#names.add(name);
  }

  knows(name: string): boolean {
    return this.#open || this.#names.has(name) || (this.#outer?.knows(name) ?? false);
  }
}

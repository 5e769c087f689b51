import type { ScriptVariables } from "../menus/scripts.ts";
import { textOf } from "./text.ts";
import { NOTHING, render, type Value } from "./values.ts";

/** A variable. The same cell may be known in several scopes: that is what `:global` does. */
export interface Cell {
  value: Value;
}

/** A row a `where` looks at: its properties hide variables of the same name. */
export type RowProperties = ReadonlyMap<string, Value>;

/** Variables of one block, and those around it. */
export class Scope {
  readonly #cells = new Map<string, Cell>();
  readonly #outer: Scope | undefined;
  readonly #row: RowProperties | undefined;

  constructor(outer?: Scope, row?: RowProperties) {
    this.#outer = outer;
    this.#row = row;
  }

  declare(name: string, cell: Cell = { value: NOTHING }): Cell {
    this.#cells.set(name, cell);
    return cell;
  }

  /** Let a global variable be known here. */
  share(name: string, cell: Cell): void {
    this.#cells.set(name, cell);
  }

  cell(name: string): Cell | undefined {
    return this.#cells.get(name) ?? this.#outer?.cell(name);
  }

  /** The property of the row where there is one, else the variable; nothing for what nobody has declared. */
  value(name: string): Value {
    return this.property(name) ?? this.cell(name)?.value ?? NOTHING;
  }

  property(name: string): Value | undefined {
    return this.#row?.get(name) ?? this.#outer?.property(name);
  }
}

/** What a function was called with: a `:global` of the same name doesn't take its place. */
export class FunctionScope extends Scope {
  readonly #given: ReadonlySet<string>;

  constructor(given: ReadonlyMap<string, Value>) {
    super();
    this.#given = new Set(given.keys());
    for (const [name, value] of given) this.declare(name, { value });
  }

  override share(name: string, cell: Cell): void {
    if (!this.#given.has(name)) super.share(name, cell);
  }
}

/** Global variables: RAM only. They are the rows of `/system/script/environment`. */
export class Globals implements ScriptVariables {
  readonly #cells = new Map<string, Cell>();

  get entries(): readonly (readonly [string, Cell])[] {
    return [...this.#cells];
  }

  get texts(): readonly (readonly [string, string])[] {
    return this.entries.map(([name, cell]) => [name, textOf(render(cell.value))]);
  }

  /** The variable of this name, made where there is none. */
  cell(name: string): Cell {
    const cell = this.#cells.get(name) ?? { value: NOTHING };
    this.#cells.set(name, cell);
    return cell;
  }

  forget(cell: Cell): void {
    for (const [name, known] of this.#cells) if (known === cell) this.#cells.delete(name);
  }

  remove(name: string): void {
    this.#cells.delete(name);
  }

  clear(): void {
    this.#cells.clear();
  }
}

import { isDeepStrictEqual } from "node:util";
import { RowIndex } from "./row-index.ts";

/** What a table needs to know of its menu. */
export interface TableSpec {
  /** "/ip/service" */
  readonly path: string;
  readonly commands: readonly string[];
  /** Rows of a router fresh from the factory, with the id they always have. */
  readonly factory?: readonly { readonly id?: string; readonly values: Readonly<Record<string, string>> }[];
  /** Rows are the router's own working: neither in the state file nor in an export, whatever the commands. */
  readonly volatile?: boolean;
  /** Rows are in the state file though no command sets them. */
  readonly kept?: boolean;
}

/** One row of a menu. `dynamic` rows live in RAM and are gone after a reboot. */
export interface Item {
  /** `*` and upper-case hexadecimal. */
  readonly id: string;
  /** Changed through `Table.set` alone: a router that has its factory rows shares them with all others. */
  readonly values: Readonly<Record<string, string>>;
  readonly dynamic: boolean;
}

/** An item as its table keeps it. */
interface Row {
  readonly id: string;
  values: Readonly<Record<string, string>>;
  readonly dynamic: boolean;
}

/** Rows as they are written to the state file. */
export interface TableState {
  readonly nextId: number;
  readonly items: readonly { readonly id: string; readonly values: Readonly<Record<string, string>> }[];
}

export type TableChange = { readonly kind: "changed" | "removed"; readonly item: Item };

const emptyRow = (): Record<string, string> => Object.create(null) as Record<string, string>;

export const rowOf = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.assign(emptyRow(), values);

const sharedRows = new WeakMap<object, Readonly<Record<string, string>>>();

function shared(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const row = sharedRows.get(values) ?? Object.freeze(rowOf(values));
  sharedRows.set(values, row);
  return row;
}

/** Smaller tables are searched row by row: an index costs every router of a fleet its memory. */
const INDEXED_FROM = 64;

const keyOf = (fields: readonly string[], values: Readonly<Record<string, string>>): string =>
  JSON.stringify(fields.map((name) => values[name]));

export const formatId = (number: number): string => `*${number.toString(16).toUpperCase()}`;

/** The rows of one menu in their order, with ids that survive reordering and are never used again. */
export class Table {
  readonly menu: TableSpec;
  #items: Row[] = [];
  #nextId = 1;
  #ids: RowIndex<Row> | undefined;
  #unique: RowIndex<Row> | undefined;
  #listeners: Set<(change: TableChange) => void> | undefined;

  constructor(menu: TableSpec, state?: TableState) {
    this.menu = menu;
    if (state) this.#restore(state);
    else this.#furnish(menu.factory ?? []);
  }

  /** Values of factory rows are one object for all routers of a version. */
  #furnish(factory: NonNullable<TableSpec["factory"]>): void {
    for (const { id = formatId(this.#nextId), values } of factory) {
      this.#items.push({ id, values: shared(values), dynamic: false });
      this.#nextId = Math.max(this.#nextId, Number.parseInt(id.slice(1), 16) + 1);
    }
  }

  #restore(state: TableState): void {
    this.#items = state.items.map(({ id, values }) => ({ id, values: rowOf(values), dynamic: false }));
    this.#nextId = state.nextId;
  }

  /** Be again as `state` says; dynamic rows stay, behind the others. */
  restore(state: TableState): void {
    const before = new Map(this.#items.map((item) => [item.id, item]));
    const changed: Row[] = [];
    const restored = state.items.map(({ id, values }) => {
      const item: Row = before.get(id) ?? { id, values: rowOf({}), dynamic: false };
      if (!isDeepStrictEqual({ ...item.values }, { ...values })) changed.push(item);
      item.values = rowOf(values);
      return item;
    });
    const dynamic = this.#items.filter((item) => item.dynamic);
    this.#replace([...restored, ...dynamic]);
    // Ids are never used again, those of rows that are taken back among them.
    this.#nextId = Math.max(this.#nextId, state.nextId);
    const there = new Set<Row>(this.#items);
    for (const item of before.values()) if (!there.has(item)) this.announce({ kind: "removed", item });
    for (const item of changed) this.announce({ kind: "changed", item });
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  byId(id: string): Item | undefined {
    return this.#row(id);
  }

  /** Another row with the same values in all of these fields. */
  other(
    fields: readonly string[],
    values: Readonly<Record<string, string>>,
    except?: Item,
  ): Item | undefined {
    const index = this.#uniqueIndex(fields);
    if (!index) {
      const same = (item: Row) => fields.every((name) => item.values[name] === values[name]);
      return this.#items.find((item) => item !== except && same(item));
    }
    const found = index.find(keyOf(fields, values));
    return found === except ? undefined : found;
  }

  /** @param options.before row before which the new one goes; at the end without it */
  add(
    values: Readonly<Record<string, string>>,
    options: { id?: string | undefined; before?: Item | undefined; dynamic?: boolean } = {},
  ): Item {
    const id = options.id ?? formatId(this.#nextId);
    this.#nextId = Math.max(this.#nextId, Number.parseInt(id.slice(1), 16) + 1);
    const item: Row = { id, values: rowOf(values), dynamic: options.dynamic ?? false };
    if (options.before) this.#items.splice(this.#items.indexOf(options.before), 0, item);
    else this.#items.push(item);
    this.#index(item);
    this.announce({ kind: "changed", item });
    return item;
  }

  set(item: Item, values: Readonly<Record<string, string>>): void {
    const row = this.#row(item.id);
    if (row && row === item) {
      row.values = rowOf(values);
      this.#index(row);
    }
    this.announce({ kind: "changed", item });
  }

  remove(item: Item): void {
    const at = this.#items.indexOf(item);
    const [row] = at < 0 ? [] : this.#items.splice(at, 1);
    if (row) {
      this.#ids?.drop(row);
      this.#unique?.drop(row);
    }
    this.announce({ kind: "removed", item });
  }

  /** Put `moved`, in the order given, before `destination`, or at the end. */
  move(moved: readonly Item[], destination: Item | undefined): void {
    const leaving = new Set(moved);
    const rest = this.#items.filter((item) => !leaving.has(item));
    const rows = moved.flatMap((item) => this.#row(item.id) ?? []);
    const at = destination ? rest.indexOf(destination) : rest.length;
    this.#items = [...rest.slice(0, at), ...rows, ...rest.slice(at)];
    for (const item of moved) this.announce({ kind: "changed", item });
  }

  /** Forget what a reboot forgets. */
  dropDynamic(): void {
    const dropped = this.#items.filter((item) => item.dynamic);
    if (dropped.length === 0) return;
    this.#replace(this.#items.filter((item) => !item.dynamic));
    for (const item of dropped) this.announce({ kind: "removed", item });
  }

  #replace(items: Row[]): void {
    this.#items = items;
    this.#ids = undefined;
    this.#unique = undefined;
  }

  #row(id: string): Row | undefined {
    if (!this.#ids && this.#items.length >= INDEXED_FROM)
      this.#ids = RowIndex.of(this.#items, (row) => row.id);
    return this.#ids ? this.#ids.find(id) : this.#items.find((item) => item.id === id);
  }

  /** A menu has one set of such fields, so one index does. */
  #uniqueIndex(fields: readonly string[]): RowIndex<Row> | undefined {
    if (!this.#unique && this.#items.length >= INDEXED_FROM) {
      this.#unique = RowIndex.of(this.#items, ({ values }) => keyOf(fields, values));
    }
    return this.#unique;
  }

  #index(row: Row): void {
    if (this.#ids?.put(row) === false) this.#ids = undefined;
    if (this.#unique?.put(row) === false) this.#unique = undefined;
  }

  /** Call `listener` at every change until the returned function is called. */
  onChange(listener: (change: TableChange) => void): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  /** Live rows (sessions, connections) are announced by whoever keeps them. */
  announce(change: TableChange): void {
    for (const listener of this.#listeners ?? []) listener(change);
  }

  state(): TableState {
    const kept = this.#items.filter((item) => !item.dynamic);
    return { nextId: this.#nextId, items: kept.map(({ id, values }) => ({ id, values: { ...values } })) };
  }
}

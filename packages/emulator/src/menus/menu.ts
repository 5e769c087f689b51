import type { Caller, Policy } from "../caller.ts";
import type { Connections } from "../connections.ts";
import type { Features } from "../features.ts";
import type { Files } from "../files.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Router } from "../router.ts";
import type { SafeMode } from "../safe-mode.ts";
import type { ServicePorts } from "../services/ports.ts";
import type { Sessions } from "../sessions.ts";
import type { Item, TableSpec } from "../table.ts";
import type { ValueType } from "../values.ts";
import type { ScriptRunner, ScriptVariables } from "./scripts.ts";

export interface Field {
  readonly type: ValueType;
  /** Value of a new row that was not given one. */
  readonly default?: string;
  /** `add` insists on it. */
  readonly required?: boolean;
  /** Printed, never taken as an argument. */
  readonly readOnly?: boolean;
  /** Taken as an argument, never printed. */
  readonly writeOnly?: boolean;
  /** Taken by `add` alone. */
  readonly addOnly?: boolean;
  /** An empty value removes the property from the row. */
  readonly clearable?: boolean;
  /** Argument that writes another field. */
  readonly writes?: string;
}

export type GenericCommand =
  | "print"
  | "getall"
  | "get"
  | "listen"
  | "add"
  | "set"
  | "unset"
  | "remove"
  | "enable"
  | "disable"
  | "comment"
  | "move";

/** What an `add` or `set` is about to do, before anything is changed. */
export interface Change {
  readonly command: "add" | "set" | "remove";
  readonly item: Item | undefined;
  /** The row as it was; empty for `add`. */
  readonly before: Readonly<Record<string, string>>;
  /** The row as it will be; for `remove`, as it was. */
  readonly after: Record<string, string>;
  /** Arguments as read from the command. */
  readonly given: Readonly<Record<string, string>>;
  /** Who asks; undefined for the control handle. */
  readonly username: string | undefined;
  readonly policies: ReadonlySet<string>;
}

/** One RouterOS menu as data. The generic commands do everything a menu doesn't say otherwise. */
export interface Menu extends TableSpec {
  readonly fields: Readonly<Record<string, Field>>;
  readonly commands: readonly GenericCommand[];
  /** Rows keep an order that `move` and `place-before` change. */
  readonly ordered?: boolean;
  /** Does a new row with these values live in RAM only? */
  readonly isDynamic?: (values: Readonly<Record<string, string>>) => boolean;
  /** One row without `.id`; `set` takes no target. */
  readonly singleton?: boolean;
  /** Field by whose value an item may be addressed in place of its `.id`. */
  readonly nameField?: string;
  /** Fields that together occur once, and what a second one is answered. */
  readonly unique?: { readonly fields: readonly string[]; readonly refusal: string };
  /** Group policies needed besides `read` to print and `write` to change. */
  readonly policy?: readonly Policy[];
  /** Rows that exist by themselves (sessions, connections), printed after those of the table. */
  readonly liveRows?: (router: MenuHost) => readonly Item[];
  /** Read-only properties worked out when a row is printed. */
  readonly computed?: (router: MenuHost, item: Item) => Readonly<Record<string, string>>;
  /**
   * Rules of this menu: throws a refusal, may rewrite `change.after`, and answers `"ignore"` for a command that
   * RouterOS accepts without carrying it out.
   */
  readonly check?: (router: MenuHost, change: Change) => "ignore" | undefined;
  /** What follows from a committed change; the reply waits for it. */
  readonly applied?: (router: MenuHost, change: Change, item: Item) => Promise<void> | void;
  /** `remove` of a live row. */
  readonly removeLive?: (router: MenuHost, item: Item) => void;
  /** Commands only this menu has. */
  readonly own?: Readonly<Record<string, OwnCommand>>;
}

export interface OwnCommand {
  readonly arguments: readonly string[];
  /** Arguments the console takes by their place, in this order; all others are named. */
  readonly unnamed?: readonly string[];
  /** Arguments that are on by being named, without a value. */
  readonly flags?: readonly string[];
  readonly policy: readonly Policy[];
  run(
    router: MenuHost,
    given: Readonly<Record<string, string>>,
    items: readonly Item[],
    asked: Asked,
  ): Answered | Done;
  /** Takes items in `=.id=` or `=numbers=`. */
  readonly targets?: boolean;
  /** Takes its time: over the API other commands run beside it, its rows are sent as they come, and it can be cancelled. */
  readonly slow?: boolean;
}

/** Nothing but that it was carried out. */
type Done = Promise<void> | void;
type Answered = Promise<Answer | undefined> | Answer | undefined;

/** Who asks for a command, and what it may do while it runs. */
export interface Asked {
  readonly caller: Caller;
  /** The console and scripts, where a command without `=file=` prints; over the API it doesn't. */
  readonly console: boolean;
  /** Send a row now. */
  readonly row: (values: Readonly<Record<string, string>>) => void;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** What a command answers besides its rows. */
export interface Answer {
  readonly ret?: string;
  /** Text for the console, lines ended by LF. */
  readonly text?: string;
}

/** What the code of menus and commands sees of the router it runs on: its state, and what works on that state. */
export interface MenuHost extends Router {
  readonly menus: ReadonlyMap<string, Menu>;
  /** @throws for a menu this version hasn't; callers name menus the emulator has */
  menu(path: string): Menu;
  /** All rows of a menu: those of its table, then those that exist by themselves. */
  items(menu: Menu): readonly Item[];
  readonly files: Files;
  readonly sessions: Sessions;
  readonly connections: Connections;
  readonly firewall: Firewall;
  readonly safeMode: SafeMode;
  readonly jobs: ScriptRunner;
  readonly globals: ScriptVariables;
  readonly scheduler: {
    /** "2026-09-26 03:00:00" of the next run; undefined where there will be none. */
    nextRun(item: Item): string | undefined;
  };
  /** undefined until the router has its listeners. */
  readonly ports: ServicePorts | undefined;
}

export type MenuFor = (features: Features) => Menu;

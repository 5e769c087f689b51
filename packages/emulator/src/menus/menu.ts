import type { Caller } from "../commands/command.ts";
import type { Features } from "../features.ts";
import type { Router } from "../router.ts";
import type { Item } from "../table.ts";
import type { ValueType } from "../values.ts";

/** Rights of a RouterOS user group. */
export type Policy =
  | "read"
  | "write"
  | "policy"
  | "reboot"
  | "test"
  | "sniff"
  | "ftp"
  | "sensitive"
  | "password";

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
export interface Menu {
  /** "/ip/service" */
  readonly path: string;
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
  /** Rows of a router fresh from the factory, with the id they always have. */
  readonly factory?: readonly { readonly id?: string; readonly values: Readonly<Record<string, string>> }[];
  /** Rows that exist by themselves (sessions, connections), printed after those of the table. */
  readonly liveRows?: (router: Router) => readonly Item[];
  /** Read-only properties worked out when a row is printed. */
  readonly computed?: (router: Router, item: Item) => Readonly<Record<string, string>>;
  /**
   * Rules of this menu: throws a refusal, may rewrite `change.after`, and answers `"ignore"` for a command that
   * RouterOS accepts without carrying it out.
   */
  readonly check?: (router: Router, change: Change) => "ignore" | undefined;
  /** What follows from a committed change; the reply waits for it. */
  readonly applied?: (router: Router, change: Change, item: Item) => Promise<void> | void;
  /** `remove` of a live row. */
  readonly removeLive?: (router: Router, item: Item) => void;
  /** Commands only this menu has. */
  readonly own?: Readonly<Record<string, OwnCommand>>;
  /** Rows are the router's own working: neither in the state file nor in an export, whatever the commands. */
  readonly volatile?: boolean;
  /** Rows are in the state file though no command sets them. */
  readonly kept?: boolean;
}

export interface OwnCommand {
  readonly arguments: readonly string[];
  /** Arguments the console takes by their place, in this order; all others are named. */
  readonly unnamed?: readonly string[];
  /** Arguments that are on by being named, without a value. */
  readonly flags?: readonly string[];
  readonly policy: readonly Policy[];
  run(
    router: Router,
    given: Readonly<Record<string, string>>,
    items: readonly Item[],
    asked: Asked,
  ): Answered | Done;
  /** Takes items in `=.id=` or `=numbers=`. */
  readonly targets?: boolean;
  /** Takes its time: over the API other commands go on beside it, its rows are sent as they come, and it can be cancelled. */
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

export type MenuFor = (features: Features) => Menu;

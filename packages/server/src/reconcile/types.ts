/**
 * The words of the reconciler. Types alone: what a module contributes and what a plan is.
 *
 * One run for one site: load -> observe -> plan -> guard -> deliver -> verify -> record.
 */
import type { MenuFacts, RouterOsVersion, Row } from "@portreeve/routeros";
import type { Trx } from "../database/index.ts";
import type { Secret } from "../vault/secret.ts";

/**
 * A row a module wants on a router, in logical field names; values are text as RouterOS understands it. Where modules
 * speak of one row, what they say adds up, and the later module has the last word on a field.
 */
export interface DesiredRow {
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Of a row that comes about by commands of its own and is never `set`: the next of them, or none now. */
  readonly nextCommand?: NextCommand | "add" | "none";
  /** Written when the row is added and never compared: what can't be read back is not diffed. */
  readonly secrets?: Secrets;
  /** We come in through this row: its changes go last and may cost the connection. */
  readonly managementPath?: true;
  /** Delivered even where its menu is only reported on. */
  readonly alwaysRepaired?: true;
  /** Of a row in an ordered menu. Rows without it keep the order in which they are wanted. */
  readonly place?: Placement;
}

/**
 * A place among the rows that are not ours: directly before the first of a chain, or before the first of it that ends
 * every packet's way. Where there is none, at the end.
 */
export interface Placement {
  readonly chain: string;
  readonly before: "first" | "first-catch-all";
}

/** Some rows of a menu, told by the text of one of their fields. */
export type RowMatch =
  | "every"
  | "none"
  | { readonly field: string; readonly is: readonly string[] }
  | { readonly field: string; readonly startsWith: readonly string[] };

/** A secret by who keeps it, so that a plan can be stored and shown: the delivery asks that module for it. */
export interface SecretReference {
  /** Name of the contributor. */
  readonly of: string;
  /** What the contributor knows it by. */
  readonly id: string;
}

/** By wire name. */
export type Secrets = Readonly<Record<string, SecretReference>>;

/** A command that brings a row about, with its arguments. */
export interface NextCommand {
  readonly command: "sign" | "create-certificate-request" | "import";
  readonly values: Readonly<Record<string, string>>;
  readonly secrets?: Secrets;
}

/** The rows that these queries keep. */
export interface Print {
  readonly queries: readonly string[];
  /** Their properties; those that are compared unless given. */
  readonly proplist?: readonly string[];
}

/** What one module says about one menu. */
export interface DesiredMenu {
  readonly menu: MenuFacts;
  /**
   * Only what these prints show is read; all of the menu where another module does without. For a menu that may hold a
   * hundred thousand rows of others.
   */
  readonly prints?: readonly Print[];
  readonly rows: readonly DesiredRow[];
  /** Rows on the router that are this module's; those it no longer wants are removed. */
  readonly owns: RowMatch;
  /** Owned rows we come in through: removed last of all. */
  readonly managementPath?: RowMatch;
  /** Differences are shown and not delivered: somebody else made them, and this module was told to leave them. */
  readonly reportOnly?: boolean;
}

/** What a module may know of a router when it says what it wants. */
export interface RouterFacts {
  readonly version: RouterOsVersion;
  /** The address the router sees us come from. */
  readonly managementAddress: string;
  /** The site is being given back: the module wants nothing any more. */
  readonly offboarding: boolean;
  /**
   * What was read of the menus this module names. Nothing, when it is asked for the first time, which tells what is to
   * be read: so the menus must not depend on it, only the rows.
   */
  readonly observed: Observed;
}

/** Rows read from a router, by menu path, in its order. A menu that this router has not is not among them. */
export type Observed = ReadonlyMap<string, readonly Row[]>;

export interface Step {
  readonly menu: string;
  readonly command: "add" | "set" | "remove" | "move" | NextCommand["command"] | "request-logout";
  /**
   * The row it is about: the text of its key field. `id` is undefined for a row that is yet to be added, and for the
   * row of a menu that has only one.
   */
  readonly target: { readonly field: string; readonly key: string; readonly id?: string };
  /** Wire names and values; `place-before` and `destination` are the `.id` of the row that is to follow. */
  readonly values: Readonly<Record<string, string>>;
  readonly secrets: Secrets;
  /** What undoes it, in order; nothing where nothing can (a removed user's password is not ours to read). */
  readonly inverse: readonly Inverse[];
  readonly touchesManagementPath: boolean;
  /** It is shown and not delivered. */
  readonly reportOnly: boolean;
  /** The step in RouterOS's own words, secrets hidden. */
  readonly text: string;
}

/** An undoing step. A row is addressed by its key, because an `.id` does not survive re-creation. */
export interface Inverse {
  readonly command: "add" | "set" | "remove" | "move";
  /** The row; undefined in a menu that has only one. */
  readonly row: RowReference | undefined;
  readonly values: Readonly<Record<string, string>>;
  /** Of `add` and `move` in an ordered menu: the row it stood before; undefined for the end. */
  readonly before?: RowReference | undefined;
}

/** A row of ours by its key field; another one, which we don't remove, by its `.id`. */
export type RowReference =
  | { readonly field: string; readonly key: string; readonly notDynamic?: true }
  | { readonly id: string };

export interface Plan {
  readonly steps: readonly Step[];
}

/** How a router was found at the end of a run. */
export interface Seen {
  readonly observed: Observed;
  /** What still differs from what is wanted, and was not to be delivered now. */
  readonly withheld: readonly Step[];
  /** Why a module could not go on, although the router has what it was to have so far. */
  readonly problem: string | undefined;
}

/** What came of a module's next step: nothing was to be done, the router is to have something else now, or a problem. */
export type Advance = "done" | "changed" | { readonly problem: string };

/** What one module wants of one site, as it was when it was loaded. */
export interface Intent {
  /** Pure: the rows this intent means on this router. */
  desired(router: RouterFacts): DesiredMenu[];
  /**
   * The router has what was wanted of it, and what this module wants next may follow from what is there now: write it
   * down. After `changed` everything is loaded, read and planned again.
   */
  advance?(observed: Observed): Promise<Advance>;
  /** Write down what was seen on the router after delivery. */
  record?(trx: Trx, seen: Seen): Promise<void>;
}

/** What a domain module gives the reconciler: its intent for a site, and the secrets that its rows refer to. */
export interface Contributor {
  readonly name: string;
  /** Read the module's intent for a site, in one transaction with the other modules. */
  load(trx: Trx, siteId: string): Promise<Intent>;
  /** A secret of the site's that its rows refer to. @throws where there is none of this id */
  openSecret?(trx: Trx, siteId: string, id: string): Promise<Secret>;
}

/** What a link knows of its router without asking. */
export interface RouterNow {
  readonly version: RouterOsVersion;
  /** The address the router sees us come from. */
  readonly managementAddress: string;
  /** The service we come in by. */
  readonly service: "api" | "api-ssl";
}

/** Looks at steps that touch the management path before they are delivered. */
export interface Guard {
  /** Read whole for it. */
  readonly menus: readonly MenuFacts[];
  /** @returns why they must not be delivered */
  readonly reasonAgainst: (
    observed: Observed,
    steps: readonly Step[],
    router: Pick<RouterNow, "managementAddress" | "service">,
  ) => string | undefined;
}

export interface SiteSnapshot {
  readonly id: string;
  readonly customerId: string;
  /** Grows with every change of intent; a run records the generation it delivered. */
  readonly generation: string;
  readonly offboarding: boolean;
  /** The change of the management path that was begun and whose end was not seen. */
  readonly managementPathArmed: string | undefined;
  /** The change of the management path that was undone, and why. It is not tried again. */
  readonly managementPathProblem: { readonly change: string; readonly reason: string } | undefined;
}

export type Outcome = {
  /** Steps that were carried out, whatever else happened. */
  readonly delivered?: readonly Step[];
} & (
  | { readonly state: "in_sync" }
  | { readonly state: "drifted"; readonly reason: string }
  | {
      readonly state: "pending" | "failed" | "needs_attention";
      readonly reason: string;
      readonly reached: boolean;
    }
);

/** What the reconciler reads and writes about sites; kept by the sites module. */
export interface SiteRecords {
  /** The sites of these buckets that are to be reconciled. */
  list(buckets: readonly number[]): Promise<readonly string[]>;
  load(trx: Trx, siteId: string): Promise<SiteSnapshot | undefined>;
  /** Intent first: the port the management path is about to move to, so that a restart finds the router. */
  expectApiPort(siteId: string, port: number): Promise<void>;
  /** The router will undo this change of the management path by itself unless we confirm it. */
  armManagementPath(siteId: string, change: string): Promise<void>;
  /** The change stands, or was never made. */
  confirmManagementPath(siteId: string): Promise<void>;
  /** The change was undone, or will be: it is not tried again unless another is wanted or somebody asks for it. */
  abandonManagementPath(site: SiteSnapshot, change: string, reason: string): Promise<void>;
  /** What a run came to. `checked` is to be called when it is committed. */
  finish(trx: Trx, site: SiteSnapshot, outcome: Outcome): Promise<void>;
  /** The site has been checked now, and what the check found can be read. */
  checked(site: SiteSnapshot): void;
  /** Everything of ours is off the router; the site ends. */
  forget(trx: Trx, site: SiteSnapshot): Promise<void>;
}

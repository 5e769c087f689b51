import { Clock, formatTime } from "./clock.ts";
import { Faults } from "./faults.ts";
import { type Features, featuresOf } from "./features.ts";
import type { ListeningByMenu } from "./listening.ts";
import type { EmulatorOptions, OpenSessions } from "./options.ts";
import { type RouterState, writeState } from "./state-file.ts";
import { Table, type TableSpec } from "./table.ts";

/** Lines `/log` keeps, as RouterOS's memory logging action does by default. */
const LOG_LINES = 1000;

/** The state of one router: what it is, its tables, its clock. What works on them is put together in `machine.ts`. */
export class Router {
  readonly version: string;
  readonly features: Features;
  readonly clock = new Clock();
  /** What is to go wrong. */
  readonly faults = new Faults();
  readonly model: string;
  readonly serialNumber: string;
  readonly #makeHostKey: () => string;
  #hostKey: string | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly loginFailureDelayMs: number;
  readonly rebootReply: "close" | "done";
  readonly menus: ReadonlyMap<string, TableSpec>;
  /** The address it is bound to, from which it reaches other loopback addresses. */
  readonly address: string | undefined;
  /** When each user last logged in, as printed. RAM only. */
  readonly lastLogins = new Map<string, string>();
  /** Hosts that answer a ping besides the router itself. */
  readonly reachable = new Set<string>();
  /** May be changed while it runs. */
  openSessions: OpenSessions;
  listening: ListeningByMenu | undefined;
  /** Made when first asked for: most menus of most routers are never looked at. */
  readonly #tables = new Map<string, Table>();
  readonly #state: RouterState["tables"] | undefined;
  readonly #stateFile: string | undefined;
  readonly #logLines: number;
  #bootedAt: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    options: EmulatorOptions,
    state: RouterState | undefined,
    fresh: FreshRouter,
    menus: ReadonlyMap<string, TableSpec>,
  ) {
    this.version = versionOf(options, state);
    this.features = featuresOf(this.version);
    this.model = state?.model ?? options.model ?? fresh.model;
    this.serialNumber = state?.serialNumber ?? options.serialNumber ?? fresh.serialNumber;
    this.address = options.address;
    this.#hostKey = state?.hostKey;
    this.#makeHostKey = fresh.hostKey;
    this.randomBytes = fresh.randomBytes;
    this.loginFailureDelayMs = options.loginFailureDelayMs ?? 0;
    this.rebootReply = options.rebootReply ?? "close";
    this.openSessions = options.openSessions ?? "keep";
    this.listening = options.listening;
    this.#stateFile = options.stateFile;
    this.#logLines = options.logLines ?? LOG_LINES;
    this.#bootedAt = this.clock.running();
    this.menus = menus;
    this.#state = state?.tables;
  }

  /** @throws for a menu this version hasn't; callers name menus the emulator has */
  table(path: string): Table {
    const known = this.#tables.get(path);
    if (known) return known;
    const menu = this.menus.get(path);
    if (!menu) throw noMenu(this.version, path);
    const table = new Table(menu, this.#state?.[path]);
    this.#tables.set(path, table);
    this.opened(table);
    return table;
  }

  /** A table has been made: the place to listen to its changes. */
  protected opened(_table: Table): void {}

  /** Put every table back to what it was when `tables` was taken. */
  protected restoreTables(tables: RouterState["tables"]): void {
    const kept = [...this.#tables].filter(([, { menu }]) => isKept(menu));
    // A menu nobody had looked at then was as it comes from the factory.
    for (const [path, table] of kept) table.restore(tables[path] ?? new Table(table.menu).state());
  }

  /** SSH host key, OpenSSH private key format. Made when first asked for. */
  get hostKey(): string {
    this.#hostKey ??= this.#makeHostKey();
    return this.#hostKey;
  }

  get identity(): string {
    return this.table("/system/identity").items[0]?.values.name ?? "";
  }

  get uptimeSeconds(): number {
    return (this.clock.running() - this.#bootedAt) / 1000;
  }

  /** Changes of the configuration happen one after another, so that each is checked against the last. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Add a line to `/log`. RAM only. */
  log(topics: string, message: string): void {
    const table = this.table("/log");
    const time = formatTime(this.clock.now(), this.features.isoDates);
    table.add({ time, topics, message }, { dynamic: true });
    const oldest = table.items[0];
    if (oldest && table.items.length > this.#logLines) table.remove(oldest);
  }

  /** Make the configuration as it is now survive a restart. Without a state file there is nothing to do. */
  commit(): void {
    if (this.#stateFile !== undefined) writeState(this.#stateFile, this.state());
  }

  state(): RouterState {
    const kept = [...this.#tables].filter(([, { menu }]) => isKept(menu));
    return {
      format: 1,
      version: this.version,
      model: this.model,
      serialNumber: this.serialNumber,
      hostKey: this.hostKey,
      // What nobody has looked at since the start is as the file had it.
      tables: { ...this.#state, ...Object.fromEntries(kept.map(([path, table]) => [path, table.state()])) },
    };
  }

  /** Forget what is only in RAM. */
  forgetRam(): void {
    for (const table of this.#tables.values()) table.dropDynamic();
    this.lastLogins.clear();
    this.#bootedAt = this.clock.running();
  }
}

export const noMenu = (version: string, path: string): Error =>
  new Error(`the emulated RouterOS ${version} has no menu ${path}`);

/** A state file has a version of its own. */
export const versionOf = (options: EmulatorOptions, state: RouterState | undefined): string =>
  state?.version ?? options.version ?? "7.16";

/** Rows of a menu are configuration: they are in the state file, and safe mode takes them back. */
const isKept = (menu: TableSpec): boolean =>
  !menu.volatile && (menu.kept === true || menu.commands.includes("set"));

/** What a router without a state file is made of. */
export interface FreshRouter {
  readonly model: string;
  readonly serialNumber: string;
  readonly hostKey: () => string;
  readonly randomBytes: (size: number) => Uint8Array;
}

import { Clock, formatTime } from "./clock.ts";
import { Connections } from "./connections.ts";
import { Faults } from "./faults.ts";
import { type Features, featuresOf } from "./features.ts";
import { Files } from "./files.ts";
import { FIREWALL_MENUS, Firewall } from "./firewall/firewall.ts";
import { Jobs } from "./jobs.ts";
import { menusFor } from "./menus/index.ts";
import type { Menu } from "./menus/menu.ts";
import type { EmulatorOptions, OpenSessions, ServiceName } from "./options.ts";
import { SafeMode } from "./safe-mode.ts";
import { SCHEDULER_MENU, Scheduler } from "./scheduler.ts";
import { Globals } from "./script/environment.ts";
import { Sessions } from "./sessions.ts";
import { type RouterState, writeState } from "./state-file.ts";
import { type Item, Table } from "./table.ts";

/** Lines `/log` keeps, as RouterOS's memory logging action does by default. */
const LOG_LINES = 1000;

/** What a change of `/ip/service` needs of whoever holds the listeners. */
export interface ServicePorts {
  /** Open, move and close listeners until they are as the rows say. */
  apply(): Promise<void>;
  /** Is this service enabled on a port it could not bind? */
  isInvalid(service: ServiceName): boolean;
  /** Rules of the firewall have changed: look at open connections again. */
  reviewConnections(): void;
  /** `/system/reboot` and `/system/shutdown`. */
  restart(how: "reboot" | "shutdown"): void;
}

/** One router: its tables, users, sessions and clock. It knows no sockets of its own. */
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
  readonly menus: ReadonlyMap<string, Menu>;
  readonly sessions: Sessions;
  readonly connections: Connections;
  readonly firewall: Firewall;
  /** The address it is bound to, from which it reaches other loopback addresses. */
  readonly address: string | undefined;
  readonly files = new Files(this);
  /** Global variables of scripts. RAM only. */
  readonly globals = new Globals();
  readonly jobs = new Jobs(this);
  readonly scheduler = new Scheduler(this);
  readonly safeMode = new SafeMode(this);
  /** When each user last logged in, as printed. RAM only. */
  readonly lastLogins = new Map<string, string>();
  /** Hosts that answer a ping besides the router itself. */
  readonly reachable = new Set<string>();
  /** May be changed while it runs. */
  openSessions: OpenSessions;
  ports: ServicePorts | undefined;
  /** Made when first asked for: most menus of most routers are never looked at. */
  readonly #tables = new Map<string, Table>();
  readonly #state: RouterState["tables"] | undefined;
  readonly #stateFile: string | undefined;
  readonly #logLines: number;
  #bootedAt: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: EmulatorOptions, state: RouterState | undefined, fresh: FreshRouter) {
    this.version = state?.version ?? options.version ?? "7.16";
    this.features = featuresOf(this.version);
    this.model = state?.model ?? options.model ?? fresh.model;
    this.serialNumber = state?.serialNumber ?? options.serialNumber ?? fresh.serialNumber;
    this.address = options.address;
    this.#hostKey = state?.hostKey;
    this.#makeHostKey = fresh.hostKey;
    this.randomBytes = fresh.randomBytes;
    this.loginFailureDelayMs = options.loginFailureDelayMs ?? 0;
    this.rebootReply = options.rebootReply ?? "close";
    this.openSessions = options.openSessions ?? "go-on";
    this.#stateFile = options.stateFile;
    this.#logLines = options.logLines ?? LOG_LINES;
    this.#bootedAt = this.clock.running();
    if (options.ipv6 === false && this.features.version7) {
      throw new Error(`RouterOS ${this.version} has IPv6 built in; only RouterOS 6 can be without it`);
    }
    this.menus = menusFor(this.version, options.ipv6);
    this.#state = state?.tables;
    this.sessions = new Sessions(this);
    this.connections = new Connections(this);
    this.firewall = new Firewall(this);
  }

  /** @throws for a menu this version hasn't; callers name menus the emulator has */
  table(path: string): Table {
    const known = this.#tables.get(path);
    if (known) return known;
    const menu = this.menus.get(path);
    if (!menu) throw new Error(`the emulated RouterOS ${this.version} has no menu ${path}`);
    const table = new Table(menu, this.#state?.[path]);
    if (FIREWALL_MENUS.includes(path)) table.onChange(() => this.ports?.reviewConnections());
    if (path === SCHEDULER_MENU) table.onChange((change) => this.scheduler.changed(change));
    this.#tables.set(path, table);
    return table;
  }

  /** Put every menu back to what it was when `tables` was taken. */
  async restore(tables: RouterState["tables"]): Promise<void> {
    const kept = [...this.#tables].filter(([, { menu }]) => isKept(menu));
    // A menu nobody had looked at then was as it comes from the factory.
    for (const [path, table] of kept) table.restore(tables[path] ?? new Table(table.menu).state());
    await this.ports?.apply();
    this.commit();
  }

  /** All rows of a menu: those of its table, then those that exist by themselves. */
  items(menu: Menu): readonly Item[] {
    const items = this.table(menu.path).items;
    return menu.liveRows ? [...items, ...menu.liveRows(this)] : items;
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
    this.safeMode.changed();
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
    this.scheduler.halt();
    this.jobs.forgetRam();
    this.globals.clear();
    this.files.forgetRam();
    for (const table of this.#tables.values()) table.dropDynamic();
    this.lastLogins.clear();
    this.#bootedAt = this.clock.running();
  }
}

/** Rows of a menu are configuration: they are in the state file, and safe mode takes them back. */
const isKept = (menu: Menu): boolean =>
  !menu.volatile && (menu.kept === true || menu.commands.includes("set"));

/** What a router without a state file is made of. */
export interface FreshRouter {
  readonly model: string;
  readonly serialNumber: string;
  readonly hostKey: () => string;
  readonly randomBytes: (size: number) => Uint8Array;
}

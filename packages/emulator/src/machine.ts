import { Connections } from "./connections.ts";
import { featuresOf } from "./features.ts";
import { Files } from "./files.ts";
import { FIREWALL_MENUS, Firewall } from "./firewall/firewall.ts";
import { Jobs } from "./jobs.ts";
import { menusFor } from "./menus/index.ts";
import type { Menu } from "./menus/menu.ts";
import type { EmulatorOptions } from "./options.ts";
import { type FreshRouter, noMenu, Router, versionOf } from "./router.ts";
import { SafeMode } from "./safe-mode.ts";
import { SCHEDULER_MENU, Scheduler } from "./scheduler.ts";
import { Globals } from "./script/environment.ts";
import type { ScriptHost } from "./script/host.ts";
import type { ServicePorts } from "./services/ports.ts";
import { Sessions } from "./sessions.ts";
import type { RouterState } from "./state-file.ts";
import type { Item, Table } from "./table.ts";

/** A router that runs: its state, its menus, and what works on them. It knows no sockets of its own. */
export class Machine extends Router implements ScriptHost {
  declare readonly menus: ReadonlyMap<string, Menu>;
  readonly files = new Files(this);
  readonly connections = new Connections(this);
  readonly firewall = new Firewall(this);
  readonly sessions = new Sessions(this, (session) => this.safeMode.sessionClosed(session));
  readonly globals = new Globals();
  readonly jobs = new Jobs(this);
  readonly scheduler = new Scheduler(this);
  readonly safeMode = new SafeMode(this, (tables) => this.restore(tables));
  /** Set by whoever opens its listeners. */
  ports: ServicePorts | undefined;

  /** @throws when the version is none, or can't be without its IPv6 package */
  constructor(options: EmulatorOptions, state: RouterState | undefined, fresh: FreshRouter) {
    super(options, state, fresh, menusOf(options, state));
  }

  protected override opened(table: Table): void {
    const { path } = table.menu;
    if (FIREWALL_MENUS.includes(path)) table.onChange(() => this.ports?.reviewConnections());
    if (path === SCHEDULER_MENU) table.onChange((change) => this.scheduler.changed(change));
  }

  menu(path: string): Menu {
    const menu = this.menus.get(path);
    if (!menu) throw noMenu(this.version, path);
    return menu;
  }

  items(menu: Menu): readonly Item[] {
    const { items } = this.table(menu.path);
    return menu.liveRows ? [...items, ...menu.liveRows(this)] : items;
  }

  /** Put every menu back to what it was when `tables` was taken. */
  async restore(tables: RouterState["tables"]): Promise<void> {
    this.restoreTables(tables);
    await this.ports?.apply();
    this.commit();
  }

  override commit(): void {
    this.safeMode.changed();
    super.commit();
  }

  override forgetRam(): void {
    this.scheduler.halt();
    this.jobs.forgetRam();
    this.globals.clear();
    this.files.forgetRam();
    super.forgetRam();
  }
}

function menusOf(options: EmulatorOptions, state: RouterState | undefined): ReadonlyMap<string, Menu> {
  const version = versionOf(options, state);
  if (options.ipv6 === false && featuresOf(version).version7) {
    throw new Error(`RouterOS ${version} has IPv6 built in; only RouterOS 6 can be without it`);
  }
  return menusFor(version, options.ipv6);
}

import { type Features, featuresOf } from "../features.ts";
import { schemaMenus } from "../schema/menus.ts";
import { streamCommands } from "../streams/commands.ts";
import { certificate } from "./certificate.ts";
import { clock } from "./clock.ts";
import { deviceMode } from "./device-mode.ts";
import { file } from "./file.ts";
import { firewallAddressList, listAddress, listAddress6 } from "./firewall-address-list.ts";
import { firewallFilters } from "./firewall-filter.ts";
import { ipService } from "./ip-service.ts";
import { log } from "./log.ts";
import type { Menu } from "./menu.ts";
import { backup, root } from "./root.ts";
import { safeMode } from "./safe-mode.ts";
import { scheduler } from "./scheduler.ts";
import { script, scriptEnvironment, scriptJob } from "./script.ts";
import { identity, resource, routerboard, system, userSettings } from "./system.ts";
import { tool } from "./tool.ts";
import { user } from "./user.ts";
import { userActive } from "./user-active.ts";
import { userGroup } from "./user-group.ts";

/** Menus with a behaviour of their own. */
function writtenMenus(features: Features): readonly Menu[] {
  return [
    ipService(features),
    certificate(features),
    firewallAddressList("/ip/firewall/address-list", listAddress),
    firewallAddressList("/ipv6/firewall/address-list", listAddress6),
    log,
    system,
    identity(features),
    resource(features),
    routerboard(features),
    user(features),
    userActive(features),
    userGroup(features),
    userSettings(features),
    script(features),
    scriptEnvironment(features),
    scriptJob(features),
    scheduler(features),
    file(features),
    clock(features),
    backup,
    tool(features),
    root(features),
    ...(features.version7 ? [deviceMode(features)] : []),
    ...(features.safeMode ? [safeMode] : []),
  ];
}

/** A command a menu lacks here may exist in RouterOS; then it is refused as such. */
function withCommandsOf(menu: Menu, other: Menu | undefined): Menu {
  if (!other?.own) return menu;
  const own = Object.entries(other.own).filter(
    ([name]) => !(menu.commands as readonly string[]).includes(name),
  );
  return { ...menu, own: { ...Object.fromEntries(own), ...menu.own } };
}

function build(version: string): ReadonlyMap<string, Menu> {
  const menus = new Map(
    schemaMenus(version).map((menu) => [menu.path, firewallFilters[menu.path]?.(menu) ?? menu]),
  );
  for (const menu of writtenMenus(featuresOf(version))) {
    menus.set(menu.path, withCommandsOf(menu, menus.get(menu.path)));
  }
  for (const [path, own] of Object.entries(streamCommands(featuresOf(version)))) {
    const menu = menus.get(path) ?? { path, commands: [], fields: {} };
    menus.set(path, { ...menu, own: { ...menu.own, ...own } });
  }
  return menus;
}

const built = new Map<string, ReadonlyMap<string, Menu>>();

/**
 * Every menu the emulator has of a RouterOS version, by path. Routers of one kind share them.
 * @param ipv6 false for a RouterOS 6 without its `ipv6` package
 */
export function menusFor(version: string, ipv6 = true): ReadonlyMap<string, Menu> {
  const kind = `${version} ${ipv6}`;
  const menus = built.get(kind) ?? withoutPackage(build(version), ipv6);
  built.set(kind, menus);
  return menus;
}

const withoutPackage = (menus: ReadonlyMap<string, Menu>, ipv6: boolean): ReadonlyMap<string, Menu> =>
  ipv6 ? menus : new Map([...menus].filter(([path]) => !path.startsWith("/ipv6/")));

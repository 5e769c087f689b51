import { atLeast, parseVersion } from "@portreeve/routeros";
import { DEEP_DUMP, DUMPS, type DumpedMenu, readDump, readFeatures } from "./data.ts";

/** What an entry of the feature list is about. Those of menus written by hand are in `features.ts`. */
const ABOUT: Readonly<Record<string, { menu: string; argument?: string; command?: string }>> = {
  "/ip/service/webserver": { menu: "/ip/service/webserver" },
  "/certificate/builtin": { menu: "/certificate/builtin" },
  "ovpn-server multi (server/add)": { menu: "/interface/ovpn-server/server" },
  "/certificate/add-acme": { menu: "/certificate", command: "add-acme" },
  "/certificate/acme-renew": { menu: "/certificate", command: "acme-renew" },
  "/certificate trust-store": { menu: "/certificate", argument: "trust-store" },
  "/interface/wireguard vrf": { menu: "/interface/wireguard", argument: "vrf" },
  "wireguard peers responder": { menu: "/interface/wireguard/peers", argument: "responder" },
  "wireguard peers is-responder": { menu: "/interface/wireguard/peers", argument: "is-responder" },
  "/system/scheduler days": { menu: "/system/scheduler", argument: "days" },
  "/user/active/request-logout": { menu: "/user/active", command: "request-logout" },
  "/file/read": { menu: "/file", command: "read" },
  "/file/add type=": { menu: "/file", argument: "type" },
};

type Menus = Map<string, DumpedMenu>;

/** "7.13.5" of a scan means the 7.13 line: the scan skipped the releases before it. */
const line = (version: string): string => version.split(".").slice(0, 2).join(".");

/** Not the newest scanned version: that one says nothing about later ones. */
const isGone = (version: string, last: string): boolean =>
  last !== DUMPS.at(-1) && atLeast(parseVersion(version), line(last)) && line(version) !== line(last);

const isThere = (version: string, first: string): boolean =>
  first === DUMPS[0] || atLeast(parseVersion(version), line(first));

/**
 * Menus of a version of RouterOS 7: those of the nearest older dump, with what the feature list says came or went
 * since. Before the oldest dump that one stands for all. Properties and values are those of the deep dump.
 */
export function dumpedMenus(version: string): ReadonlyMap<string, DumpedMenu> {
  // A dump stands for its whole line: nothing is added within one.
  const older = DUMPS.filter((dump) => atLeast(parseVersion(version), line(dump)));
  const base = older.at(-1) ?? DUMPS[0];
  const deep = readDump(DEEP_DUMP);
  const menus: Menus = new Map(
    Object.entries(readDump(base)).map(([path, menu]) => [path, described(menu, deep[path])]),
  );
  for (const [name, { first, last }] of Object.entries(readFeatures().features)) {
    const about = ABOUT[name];
    if (about) adjust(menus, about, isThere(version, first) && !isGone(version, last), deep[about.menu]);
  }
  return menus;
}

/** What the deep dump knows of a menu's properties and values, for arguments this version has. */
function described(menu: DumpedMenu, deep: DumpedMenu | undefined): DumpedMenu {
  const types = { ...deep?.types, ...menu.types };
  const args = new Set([...(menu.add ?? []), ...(menu.set ?? [])]);
  const isArgument = (name: string) => deep?.add?.includes(name) || deep?.set?.includes(name);
  const properties = (menu.properties ?? deep?.properties ?? []).filter(
    (name) => args.has(name) || !isArgument(name),
  );
  return { ...menu, types, properties };
}

function adjust(
  menus: Menus,
  { menu: path, argument, command }: { menu: string; argument?: string; command?: string },
  has: boolean,
  deep: DumpedMenu | undefined,
): void {
  const menu = menus.get(path);
  if (argument !== undefined && menu) menus.set(path, withArgument(menu, argument, has, deep));
  else if (command !== undefined && menu) menus.set(path, withCommand(menu, command, has, deep));
  else if (argument === undefined && command === undefined) {
    if (has && deep) menus.set(path, menu?.commands.includes("add") ? menu : deep);
    // The OpenVPN server was one set of properties before it became a list, and that the older dump has.
    else if (!has && menu?.rows) menus.delete(path);
  }
}

function withArgument(
  menu: DumpedMenu,
  name: string,
  has: boolean,
  deep: DumpedMenu | undefined,
): DumpedMenu {
  const change = (args: readonly string[] | undefined) => {
    const others = (args ?? []).filter((other) => other !== name);
    return has ? [...others, name] : others;
  };
  const types = { ...menu.types, [name]: deep?.types?.[name] ?? menu.types?.[name] ?? "boolean" };
  const known = deep?.add?.includes(name) && !deep.types?.[name] ? menu.types : types;
  return {
    ...menu,
    add: change(menu.add),
    set: change(menu.set),
    properties: change(menu.properties),
    ...(known ? { types: known } : {}),
  };
}

function withCommand(menu: DumpedMenu, name: string, has: boolean, deep: DumpedMenu | undefined): DumpedMenu {
  const { [name]: own, ...others } = menu.own ?? {};
  const args = own ?? deep?.own?.[name] ?? [];
  return { ...menu, own: has ? { ...others, [name]: args } : others };
}

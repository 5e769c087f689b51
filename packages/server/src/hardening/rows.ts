/** The rows a report is made of: read now, over one connection, by our own login. */
import { type RouterClient, type Row, TrapError } from "@portreeve/routeros";

/**
 * What is read of each menu. Nothing secret and nothing slow: no script source, no file contents. The firewall is read
 * whole, because any matcher decides what a rule means.
 */
const PROPERTIES: Readonly<Record<string, readonly string[] | "all">> = {
  "/certificate": [
    "name",
    "common-name",
    "subject-alt-name",
    "key-usage",
    "expired",
    "expires-after",
    "invalid-after",
  ],
  "/ip/cloud": ["ddns-enabled", "dns-name"],
  "/ip/dns": ["allow-remote-requests"],
  "/ip/firewall/address-list": ["list", "address", "disabled"],
  "/ip/firewall/filter": "all",
  "/ip/neighbor/discovery-settings": ["discover-interface-list"],
  "/ip/proxy": ["enabled", "port"],
  "/ip/service": ["name", "port", "address", "available-from", "certificate", "disabled", "dynamic"],
  "/ip/socks": ["enabled", "port", "auth-method"],
  "/ip/ssh": ["strong-crypto"],
  "/ip/upnp": ["enabled"],
  "/ipv6/firewall/address-list": ["list", "address", "disabled"],
  "/ipv6/firewall/filter": "all",
  "/ipv6/settings": ["disable-ipv6"],
  "/snmp": ["enabled"],
  "/snmp/community": ["name", "addresses", "security", "read-access", "write-access", "disabled"],
  "/system/device-mode": ["mode", "flagged"],
  "/system/resource": ["version"],
  "/system/scheduler": ["name", "owner", "policy", "disabled"],
  "/system/script": ["name", "owner", "policy", "dont-require-permissions"],
  "/tool/bandwidth-server": ["enabled", "authenticate"],
  "/tool/mac-server": ["allowed-interface-list"],
  "/tool/mac-server/mac-winbox": ["allowed-interface-list"],
  "/tool/mac-server/ping": ["enabled"],
  "/tool/romon": ["enabled"],
  "/user": ["name", "group", "address", "disabled", "expired", "last-logged-in", "comment"],
  "/user/active": ["name", "address", "via"],
  "/user/group": ["name", "policy"],
  "/user/settings": ["minimum-password-length", "minimum-categories"],
};

/** What came of reading a menu: its rows, or that there is none, or the router's words for refusing it. */
export type MenuRead =
  | { readonly rows: readonly Row[] }
  | { readonly absent: true }
  | { readonly refused: string };

/** By menu path. */
export type RowsRead = ReadonlyMap<string, MenuRead>;

/**
 * Read menus from a router. One that it lacks or refuses is an answer, not an error.
 * @throws the client's errors when the router can't be asked at all
 */
export async function readRows(
  client: RouterClient,
  menus: readonly string[],
  signal: AbortSignal,
): Promise<RowsRead> {
  const reads = menus.map(async (menu) => [menu, await readMenu(client, menu, signal)] as const);
  return new Map(await Promise.all(reads));
}

async function readMenu(client: RouterClient, menu: string, signal: AbortSignal): Promise<MenuRead> {
  const properties = PROPERTIES[menu];
  if (!properties) throw new Error(`nothing says what to read of ${menu}`);
  try {
    const proplist = properties === "all" ? {} : { proplist: [".id", ...properties] };
    return { rows: await client.print(menu, { ...proplist, signal }) };
  } catch (error) {
    if (!(error instanceof TrapError)) throw error;
    return error.unknownCommand ? { absent: true } : { refused: error.message };
  }
}

/**
 * Menus of settings: one row each, set without a target. Of their fields those that harden a router.
 * Which of them a router has depends on its version and its packages.
 * Sources: MikroTik manual ("Securing your router", CLI reference) and the published command trees.
 */
import type { FieldFacts, MenuFacts } from "./facts.ts";

/** @param fields the first of them stands for the row, which has no name */
function settings(path: string, fields: Readonly<Record<string, FieldFacts>>): MenuFacts {
  const [key = ""] = Object.keys(fields);
  return { path, key, fields, rank: 8, singleton: true, optional: true, removeCommand: () => undefined };
}

const enabled = { enabled: { kind: "boolean" } } as const;
/** The name of an interface list. */
const interfaceList = { "allowed-interface-list": { kind: "text" } } as const;

export const ipDns = settings("/ip/dns", { "allow-remote-requests": { kind: "boolean" } });
export const ipProxy = settings("/ip/proxy", enabled);
export const ipSocks = settings("/ip/socks", enabled);
export const ipSsh = settings("/ip/ssh", { "strong-crypto": { kind: "boolean" } });
export const ipUpnp = settings("/ip/upnp", enabled);
export const neighborDiscovery = settings("/ip/neighbor/discovery-settings", {
  "discover-interface-list": { kind: "text" },
});
export const snmp = settings("/snmp", enabled);
export const bandwidthServer = settings("/tool/bandwidth-server", enabled);
export const macServer = settings("/tool/mac-server", interfaceList);
export const macWinbox = settings("/tool/mac-server/mac-winbox", interfaceList);
export const macPing = settings("/tool/mac-server/ping", enabled);
export const romon = settings("/tool/romon", enabled);
export const userSettings = settings("/user/settings", { "minimum-password-length": { kind: "number" } });

/**
 * Menus of settings that the schema extracts don't have: one row each, kept truthfully, changing nothing else.
 * Fields and defaults: MikroTik manual, CLI reference (RouterOS 7.24), and for RouterOS 6 the fields of
 * ansible-collections/community.routeros.
 */
import { boolean, text } from "../values.ts";
import type { Field, Menu, MenuFor } from "./menu.ts";

const on: Field = { type: boolean, default: "true" };
const off: Field = { type: boolean, default: "false" };
const of = (value: string): Field => ({ type: text, default: value });

function settings(path: string, fields: Readonly<Record<string, Field>>): Menu {
  const values = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, field.default ?? ""]),
  );
  return {
    path,
    fields,
    singleton: true,
    commands: ["print", "getall", "get", "set"],
    factory: [{ values }],
  };
}

export const bandwidthServer: MenuFor = () =>
  settings("/tool/bandwidth-server", {
    enabled: on,
    authenticate: on,
    "allocate-udp-ports-from": of("2000"),
    "max-sessions": of("100"),
  });

export const proxy: MenuFor = () =>
  settings("/ip/proxy", { enabled: off, port: of("8080"), anonymous: off, "src-address": of("::") });

export const socks: MenuFor = () =>
  settings("/ip/socks", {
    enabled: off,
    port: of("1080"),
    version: of("4"),
    "auth-method": of("none"),
    "max-connections": of("200"),
  });

export const upnp: MenuFor = () =>
  settings("/ip/upnp", {
    enabled: off,
    "allow-disable-external-interface": off,
    "show-dummy-rule": on,
  });

/** RouterOS 6 has no switch for IPv6 here: its package is enabled or not. */
export const ipv6Settings: MenuFor = () => settings("/ipv6/settings", { "disable-ipv6": off });

/** RouterOS 7 has it from the schema extracts. */
export const macPing: MenuFor = () => settings("/tool/mac-server/ping", { enabled: on });

/** Menus of one row that decide what a router offers: readable and settable with their defaults in every version. */
import { expect, test } from "vitest";
import { menusFor } from "../menus/index.ts";
import { startRouter, trapOf } from "../testing/scripts.ts";

const VERSIONS = ["6.49.17", "7.9", "7.16", "7.18", "7.20", "7.22", "7.24"];

/** Menu, what it has from the factory, and a change. */
const SETTINGS: readonly [string, Record<string, string>, Record<string, string>][] = [
  ["/ip/ssh", { "strong-crypto": "false", "forwarding-enabled": "no" }, { "strong-crypto": "true" }],
  ["/ip/dns", { "allow-remote-requests": "false", servers: "" }, { "allow-remote-requests": "true" }],
  ["/tool/mac-server", { "allowed-interface-list": "all" }, { "allowed-interface-list": "none" }],
  ["/tool/mac-server/mac-winbox", { "allowed-interface-list": "all" }, { "allowed-interface-list": "none" }],
  ["/tool/mac-server/ping", { enabled: "true" }, { enabled: "false" }],
  [
    "/tool/bandwidth-server",
    { enabled: "true", authenticate: "true", "max-sessions": "100", "allocate-udp-ports-from": "2000" },
    { enabled: "false" },
  ],
  ["/snmp", { enabled: "false", "trap-community": "public", "trap-version": "1" }, { enabled: "true" }],
  [
    "/ip/neighbor/discovery-settings",
    { "discover-interface-list": "static", protocol: "cdp,lldp,mndp" },
    { "discover-interface-list": "none" },
  ],
  [
    "/ip/upnp",
    { enabled: "false", "allow-disable-external-interface": "false", "show-dummy-rule": "true" },
    { enabled: "true" },
  ],
  ["/ip/socks", { enabled: "false", port: "1080", version: "4" }, { enabled: "true" }],
  ["/ip/proxy", { enabled: "false", port: "8080", "max-fresh-time": "3d" }, { enabled: "true" }],
  ["/ip/cloud", { "update-time": "true", "ddns-update-interval": "none" }, { "update-time": "false" }],
  ["/tool/romon", { enabled: "false", id: "00:00:00:00:00:00", secrets: "" }, { enabled: "true" }],
  ["/system/package/update", { channel: "stable" }, { channel: "long-term" }],
  ["/ipv6/settings", { forward: "true", "disable-ipv6": "false" }, { forward: "false" }],
];

test.each(VERSIONS)("settings of %s are read with their defaults, set, and read back", async (version) => {
  await using on = await startRouter({ version });
  for (const [menu, defaults, change] of SETTINGS) {
    const [row] = await on.client.rows(`${menu}/print`);
    expect(row, menu).toMatchObject(defaults);
    const words = Object.entries(change).map(([name, value]) => `=${name}=${asWritten(value)}`);
    expect(await on.client.run(`${menu}/set`, ...words), menu).toEqual([["!done"]]);
    expect((await on.client.rows(`${menu}/print`))[0], menu).toEqual({ ...row, ...change });
  }
  await on.router.control.reboot();
  for (const [menu, , change] of SETTINGS)
    expect(on.router.control.rows(menu)[0], menu).toMatchObject(change);
});

const asWritten = (value: string) => ({ true: "yes", false: "no" })[value] ?? value;

test.each(["6.49.17", "7.16", "7.24"])("a switch of %s takes yes and no alone", async (version) => {
  await using on = await startRouter({ version });
  for (const menu of ["/ip/upnp", "/ip/socks", "/snmp", "/tool/romon", "/tool/bandwidth-server"]) {
    const replies = await on.client.run(`${menu}/set`, "=enabled=perhaps");
    expect(trapOf(replies), menu).toBe("input does not match any value of enabled");
  }
});

test("the update menu tells the version that runs", async () => {
  await using on = await startRouter({ version: "7.20.4" });
  expect(on.router.control.rows("/system/package/update")).toMatchObject([{ "installed-version": "7.20.4" }]);
});

test.each([
  ["7.9", "tos", false],
  ["7.22.3", "tos", true],
  ["7.24", "hop-limit", true],
  ["6.49.17", "hop-limit", true],
  ["6.49.17", "tls-host", false],
  ["7.24", "psd", false],
])("the IPv6 filter of %s has %s: %s", (version, argument, expected) => {
  const menu = menusFor(version).get("/ipv6/firewall/filter");
  expect(menu?.fields[argument] !== undefined).toBe(expected);
});

test("the IPv6 filter has its own words: no tarpit, and rejects as ICMPv6 can", async () => {
  await using on = await startRouter({ version: "7.20" });
  const add = (...words: string[]) => on.client.run("/ipv6/firewall/filter/add", "=chain=input", ...words);
  expect(trapOf(await add("=action=tarpit"))).toBe("input does not match any value of action");
  expect(trapOf(await add("=reject-with=icmp-host-unreachable"))).toContain("any value of reject-with");
  expect(trapOf(await add("=dst-address-type=broadcast"))).toContain("any value of dst-address-type");
  expect(trapOf(await add("=psd=21,3s,3,1"))).toBe("unknown parameter psd");
  expect(trapOf(await add("=src-address=192.0.2.1"))).toBe("invalid value for argument src-address");
  const rule = [
    "=action=reject",
    "=reject-with=icmp-no-route",
    "=headers=frag:exact",
    "=hop-limit=less-than:5",
  ];
  expect(trapOf(await add(...rule, "=dst-address-type=anycast,unreachable"))).toBeUndefined();
  expect(await on.client.rows("/ipv6/firewall/filter/print")).toMatchObject([
    { "reject-with": "icmp-no-route", packets: "0", dynamic: "false", invalid: "false" },
  ]);
});

test.each([
  ["2001:db8::1", "2001:db8::1/128"],
  ["2001:DB8:0::5/64", "2001:db8::/64"],
  ["router.example", "router.example"],
])("the IPv6 list keeps %s as %s", async (given, kept) => {
  await using on = await startRouter({ version: "7.22" });
  await on.client.run("/ipv6/firewall/address-list/add", "=list=l", `=address=${given}`);
  expect(on.router.control.rows("/ipv6/firewall/address-list")).toMatchObject([{ address: kept }]);
});

test("the IPv6 list takes no range", async () => {
  await using on = await startRouter({ version: "7.22" });
  const range = "=address=2001:db8::1-2001:db8::9";
  expect(trapOf(await on.client.run("/ipv6/firewall/address-list/add", "=list=l", range))).toBe(
    "failure: 2001:db8::1-2001:db8::9 is not a valid dns name",
  );
});

test("a RouterOS 6 without its ipv6 package doesn't know the menus, and works", async () => {
  await using on = await startRouter({ version: "6.49.17", ipv6: false });
  expect(await on.client.run("/ipv6/firewall/filter/print")).toEqual([
    ["!trap", "=category=0", "=message=no such command or directory (ipv6)"],
    ["!trap", "=message=no such command prefix"],
    ["!done"],
  ]);
  expect(await on.client.rows("/ip/firewall/filter/print")).toEqual([]);
  await expect(startRouter({ version: "7.9", ipv6: false })).rejects.toThrow("has IPv6 built in");
});

import { expect, test } from "vitest";
import { parseVersion } from "../version.ts";
import { type MenuFacts, takesField, wireFieldName } from "./facts.ts";
import {
  bandwidthServer,
  certificate,
  firewallAddressList,
  firewallFilter,
  ipDns,
  ipProxy,
  ipService,
  ipSocks,
  ipSsh,
  ipUpnp,
  ipv6FirewallAddressList,
  ipv6FirewallFilter,
  macPing,
  macServer,
  macWinbox,
  neighborDiscovery,
  readField,
  romon,
  snmp,
  systemIdentity,
  systemScheduler,
  systemScript,
  user,
  userActive,
  userGroup,
  userSettings,
} from "./index.ts";
import schema from "./schema/management.json" with { type: "json" };

interface Published {
  readonly source: string;
  readonly menus: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** What `get value-name=` completes to, where the source has it. */
  readonly properties?: Readonly<Record<string, readonly string[]>>;
}
const versions = Object.entries(schema) as unknown as [string, Published][];
const menus: MenuFacts[] = [
  user,
  userGroup,
  userActive,
  ipService,
  firewallFilter,
  firewallAddressList,
  ipv6FirewallFilter,
  ipv6FirewallAddressList,
  systemIdentity,
  systemScheduler,
  systemScript,
  certificate,
  ipDns,
  ipProxy,
  ipSocks,
  ipSsh,
  ipUpnp,
  neighborDiscovery,
  snmp,
  bandwidthServer,
  macServer,
  macWinbox,
  macPing,
  romon,
  userSettings,
];
/** Of the web proxy there is no tree of 7.9 among our sources. */
const IN_TWO_SOURCES: readonly MenuFacts[] = [ipProxy];
/** The older source lists what a configuration keeps; an entry with a timeout is none of that. */
const NOT_KEPT: Readonly<Record<string, string>> = { "/ip/firewall/address-list": "timeout" };
const cases = versions.flatMap(([version, { menus: published }]) =>
  menus.filter(({ path }) => path in published).map((menu) => [version, menu.path, menu] as const),
);

test("every menu is held against the three published command trees at least, or two where there are no more", () => {
  for (const menu of menus) {
    const held = cases.filter(([, name]) => name === menu.path).length;
    expect(held).toBeGreaterThanOrEqual(
      menu.path.startsWith("/ipv6/") || IN_TWO_SOURCES.includes(menu) ? 2 : 3,
    );
  }
});

test.each(cases)(
  "%s: every command and argument we use on %s exists in the published command tree",
  (version, path, menu) => {
    const commands = (schema as unknown as Record<string, Published>)[version]?.menus[path] ?? {};
    const parsed = parseVersion(version);
    const isTree = Object.keys(commands).length > 2; // the older source lists fields, not commands
    const removal = menu.removeCommand(parsed);
    if (removal !== undefined && isTree) expect(Object.keys(commands)).toContain(removal);
    if (isTree) expect("move" in commands).toBe(menu.ordered === true);
    if (menu === userActive) return; // sessions are ended, never written
    const written = Object.entries(menu.fields)
      .filter(([, facts]) => takesField(facts, parsed))
      .map(([name, facts]) => wireFieldName(facts, name, parsed))
      .filter((name) => isTree || NOT_KEPT[path] !== name);
    const settable = commands.set ?? [];
    expect(settable).toEqual(
      expect.arrayContaining(written.filter((name) => !(menu.fixedRows && name === menu.key))),
    );
    if (menu.fixedRows || menu.singleton) expect(commands).not.toHaveProperty("add");
    else expect(commands.add).toEqual(expect.arrayContaining(written));
  },
);

test.each(cases)("%s: what %s has since a later version is not there yet", (version, path, menu) => {
  const { set = [] } = (schema as unknown as Record<string, Published>)[version]?.menus[path] ?? {};
  const parsed = parseVersion(version);
  const later = Object.entries(menu.fields).filter(([, facts]) => !takesField(facts, parsed));
  for (const [name] of later) expect(set).not.toContain(name);
});

test.each(menus.filter(({ readOnly }) => readOnly))(
  "what is only shown of $path is shown, and takes no value",
  ({ path, fields, readOnly = {} }) => {
    const published = versions.map(([, of]) => of).find(({ properties }) => properties?.[path]);
    const { menus: trees = {}, properties = {} } = published ?? {};
    expect(properties[path]).toEqual(expect.arrayContaining(Object.keys(readOnly)));
    expect(Object.keys(fields).filter((name) => name in readOnly)).toEqual([]);
    // `dynamic` of address lists is an argument, too; the timeout is how we ask for it.
    const settable = trees[path]?.set ?? [];
    expect(settable.filter((name) => name in readOnly && name !== "dynamic")).toEqual([]);
  },
);

test("who may reach a service is read under either name", () => {
  const { address } = ipService.fields;
  expect(readField(address, "address", { address: "10.0.0.0/8" })).toBe("10.0.0.0/8");
  expect(readField(address, "address", { "available-from": "10.0.0.0/8" })).toBe("10.0.0.0/8");
  expect(readField(address, "address", {})).toBeUndefined();
});

test("sessions are ended by the command the version has", () => {
  const command = (version: string) => userActive.removeCommand(parseVersion(version));
  expect([command("6.49.17"), command("7.9"), command("7.19.4"), command("7.20"), command("7.24")]).toEqual([
    undefined,
    "request-logout",
    "request-logout",
    "remove",
    "remove",
  ]);
});

import { expect, test } from "vitest";
import { parseVersion } from "../version.ts";
import { ipService, type MenuFacts, readField, user, userActive, userGroup, wireFieldName } from "./menus.ts";
import schema from "./schema/management.json" with { type: "json" };

interface Published {
  readonly source: string;
  readonly menus: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}
const versions = Object.entries(schema) as unknown as [string, Published][];
const menus: MenuFacts[] = [user, userGroup, userActive, ipService];
const cases = versions.flatMap(([version, { menus: published }]) =>
  menus.filter(({ path }) => path in published).map((menu) => [version, menu.path, menu] as const),
);

test.each(cases)(
  "%s: every command and argument we use on %s exists in the published command tree",
  (version, path, menu) => {
    const commands = (schema as unknown as Record<string, Published>)[version]?.menus[path] ?? {};
    const parsed = parseVersion(version);
    const removal = menu.removeCommand(parsed);
    if (removal !== undefined) expect(Object.keys(commands)).toContain(removal);
    if (menu === userActive) return; // sessions are ended, never written
    const written = Object.entries(menu.fields).map(([name, facts]) => wireFieldName(facts, name, parsed));
    const settable = commands.set ?? [];
    expect(settable).toEqual(
      expect.arrayContaining(written.filter((name) => !(menu.fixedRows && name === menu.key))),
    );
    if (!menu.fixedRows) expect(commands.add).toEqual(expect.arrayContaining(written));
    else expect(commands).not.toHaveProperty("add");
  },
);

test("who may reach a service is read under either name", () => {
  const address = ipService.fields.address;
  if (!address) throw new Error("no address field");
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

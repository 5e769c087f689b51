import { atLeast, parseVersion } from "@portreeve/routeros";
import type { Change, Field, GenericCommand, Menu, OwnCommand } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import { boolean, text } from "../values.ts";
import { BEHAVIOUR } from "./behaviour.ts";
import {
  DEEP_DUMP,
  type DumpedMenu,
  type KnownField,
  type KnownFields,
  type Required,
  readDump,
  readFields,
  readRequired,
  type TypeName,
} from "./data.ts";
import { FACTORY } from "./factory.ts";
import { valueType } from "./types.ts";
import { dumpedMenus } from "./versions.ts";

/** Menus of RouterOS 7 that the collection lists for 6.49 too, because it has no gate for them. */
const ONLY_IN_7 = ["/interface/wireguard", "/interface/wireguard/peers"];

/**
 * Every menu the published schemas know of a version, as rows that are held truthfully and change nothing else.
 * Menus written by hand take their place where behaviour matters.
 */
export function schemaMenus(version: string): readonly Menu[] {
  const isVersion7 = atLeast(parseVersion(version), "7.0");
  const fields = readFields(isVersion7 ? "7.20" : "6.49");
  const dumped = isVersion7 ? dumpedMenus(version) : menusOf6(fields);
  const required = requiredIn(version);
  const paths = new Set([...dumped.keys(), ...(isVersion7 ? Object.keys(fields) : [])]);
  return [...paths].map((path) => {
    const known = fields[path];
    const menu = dumped.get(path) ?? guessed(known);
    const made = menuOf(path === "/" ? "" : path, menu, known, required[path]);
    return { ...made, ...BEHAVIOUR[path] };
  });
}

/** RouterOS 6: the fields of the collection, the commands of the oldest dump of 7; what is yes or no there is it here. */
function menusOf6(fields: Readonly<Record<string, KnownFields>>): ReadonlyMap<string, DumpedMenu> {
  const oldest = readDump("7.9");
  const deep = readDump(DEEP_DUMP);
  const paths = Object.keys(fields).filter((path) => !ONLY_IN_7.includes(path));
  return new Map(
    paths.map((path) => {
      const { own: _own, ...shape } = oldest[path] ?? guessed(fields[path]);
      const { rows } = guessed(fields[path]);
      const names = Object.keys(fields[path]?.fields ?? {}).filter((name) => name !== "numbers");
      const words = RULES.includes(path) ? deep[path]?.types : switches(deep[path]);
      const types = { ...words, ...shape.types };
      return [path, { ...shape, rows, add: names, set: names, types }];
    }),
  );
}

/** Menus whose words were the same in 6. */
const RULES = ["/ip/firewall/filter", "/ipv6/firewall/filter"];

const switches = (menu: DumpedMenu | undefined): DumpedMenu["types"] =>
  Object.fromEntries(
    Object.entries(menu?.types ?? {}).filter(([, type]) => type === "boolean" || takesNo(type)),
  );

/** A menu no dump has: the CHR lacks some that boards have. */
function guessed(known: KnownFields | undefined): DumpedMenu {
  const names = Object.keys(known?.fields ?? {}).filter((name) => name !== "numbers");
  if (known?.single_value) return { rows: false, print: true, commands: ["set"], set: names };
  return { rows: true, print: true, commands: ["add", "set", "remove"], add: names, set: names };
}

/** The nearest older measurement of what `add` insists on; the oldest stands for all before it. */
function requiredIn(version: string): Readonly<Record<string, Required>> {
  const measured = Object.entries(readRequired());
  const older = measured.filter(([of]) => atLeast(parseVersion(version), of));
  return (older.at(-1) ?? measured[0])?.[1] ?? {};
}

function menuOf(
  path: string,
  dumped: DumpedMenu,
  known: KnownFields | undefined,
  required: Required | undefined,
): Menu {
  const fields = fieldsOf(path, dumped, known, required);
  const single = !dumped.rows && dumped.print;
  const refuse = refusalOf(required);
  const rows = single ? [{ values: defaultsOf(fields) }] : FACTORY[path]?.map((values) => ({ values }));
  return {
    path,
    fields,
    commands: commandsOf(dumped),
    ...(dumped.ordered ? { ordered: true } : {}),
    ...(single ? { singleton: true } : {}),
    ...(fields.name && !single ? { nameField: "name" } : {}),
    ...(rows ? { factory: rows } : {}),
    ...(single ? {} : { computed: () => flagsOf(fields) }),
    ...(refuse ? { check: refuse } : {}),
    own: refusedCommands(path, dumped),
  };
}

function commandsOf({ print, rows, listen, commands }: DumpedMenu): readonly GenericCommand[] {
  const reading: GenericCommand[] = print ? ["print", "getall", "get"] : [];
  return [
    ...reading,
    ...(print && rows && listen !== false ? (["listen"] as const) : []),
    ...(commands as GenericCommand[]),
  ];
}

function fieldsOf(
  path: string,
  dumped: DumpedMenu,
  known: KnownFields | undefined,
  required: Required | undefined,
): Readonly<Record<string, Field>> {
  const args = new Set([...(dumped.add ?? []), ...(dumped.set ?? [])]);
  // Where the router names what is missing, `add` insists on it; where it says something else, `check` does.
  const insists = required?.message.includes("missing value(s)") ? namesIn(required.message) : [];
  const names = [...insists.filter((name) => args.has(name)), ...(dumped.properties ?? []), ...args];
  return Object.fromEntries(
    [...new Set(names)].map((name) => [
      name,
      fieldOf(path, name, dumped, known?.fields[name], args, insists),
    ]),
  );
}

/** "missing value(s) of argument(s) list interface": the router's own order. */
function namesIn(message: string): readonly string[] {
  return message.split("argument(s) ").at(1)?.split(" ") ?? [];
}

function fieldOf(
  path: string,
  name: string,
  dumped: DumpedMenu,
  known: KnownField | undefined,
  args: ReadonlySet<string>,
  insists: readonly string[],
): Field {
  if (!args.has(name) || known?.read_only) return { type: text, readOnly: true };
  const isFlag = name === "disabled" && dumped.rows;
  const value = known?.default ?? (isFlag ? false : undefined);
  const type = valueType(dumped.types?.[name] ?? inferred(value), path === "/ip/firewall/nat");
  const clearable = name === "comment" || known?.can_disable || known?.remove_value === "";
  const addOnly = dumped.set !== undefined && !dumped.set.includes(name);
  return {
    type,
    ...(insists.includes(name) ? { required: true } : {}),
    ...(value === undefined || value === null ? {} : { default: spelt(value, type) }),
    ...(known?.write_only ? { writeOnly: true } : {}),
    ...(clearable || (dumped.commands.includes("unset") && value === undefined) ? { clearable: true } : {}),
    ...(addOnly ? { addOnly: true } : {}),
  };
}

/** The collection reads `yes` and `no` as booleans, among other words too: only those without a type are switches. */
const inferred = (value: KnownField["default"]): "boolean" | undefined =>
  typeof value === "boolean" ? "boolean" : undefined;

/** `no` among other words. */
const takesNo = (type: TypeName): boolean =>
  typeof type === "object" && "oneOf" in type && type.oneOf.includes("no");

function spelt(value: string | number | boolean, type: Field["type"]): string {
  if (typeof value !== "boolean" || type === boolean) return String(value);
  return value ? "yes" : "no";
}

function defaultsOf(fields: Readonly<Record<string, Field>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) =>
      field.default === undefined ? [] : [[name, field.default]],
    ),
  );
}

/** Rows somebody made are neither dynamic nor invalid. */
function flagsOf(fields: Readonly<Record<string, Field>>): Record<string, string> {
  const flags = ["dynamic", "invalid"].filter((name) => fields[name]?.readOnly);
  return Object.fromEntries(flags.map((name) => [name, "false"]));
}

/** "failure: name is empty": what is said when none of the arguments is given. */
function refusalOf(required: Required | undefined): Menu["check"] {
  const why = /^failure: (.*?)( \(\/.*)?$/.exec(required?.message ?? "")?.[1];
  const names = required?.required ?? [];
  if (why === undefined || names.length === 0) return undefined;
  return (_router, { command, after }: Change) => {
    if (command !== "remove" && !names.some((name) => after[name])) throw refusals.failure(why);
    return undefined;
  };
}

/** RouterOS has them and the emulator says that it hasn't, instead of inventing an answer. */
function refusedCommands(path: string, { own = {} }: DumpedMenu): Readonly<Record<string, OwnCommand>> {
  return Object.fromEntries(
    Object.entries(own).map(([name, args]) => [
      name,
      {
        arguments: [...args.filter((arg) => arg !== "numbers"), ".id", "numbers", ".proplist"],
        policy: [],
        run: () => {
          throw refusals.notEmulated(`${path}/${name}`);
        },
      },
    ]),
  );
}

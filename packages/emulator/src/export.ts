import { wordBytes } from "./api/words.ts";
import { requirePolicies } from "./caller.ts";
import { formatTime } from "./clock.ts";
import type { Answer, Asked, Field, Menu, MenuHost, OwnCommand } from "./menus/menu.ts";
import { type Item, Table } from "./table.ts";
import { boolean } from "./values.ts";

interface ExportOptions {
  /** Defaults are written too. */
  readonly verbose: boolean;
  /** One row is one line. */
  readonly terse: boolean;
}

/** Not in an export: users and certificates hold secrets, files are no configuration. */
const LEFT_OUT = ["/user", "/certificate", "/file"];

/** Longer lines are wrapped, columns. */
const LINE = 80;

/** Characters an argument may have without quotes. */
const PLAIN = /^[A-Za-z0-9._:/,!*@+-]+$/;
const ESCAPED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  $: "\\$",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A value as a script has it, whatever bytes it holds. */
function quoted(value: string, version7: boolean): string {
  if (PLAIN.test(value)) return value;
  const bytes = Buffer.from(wordBytes(value)).toString("latin1");
  const text = bytes.replace(/[^ -~]|["\\$?]/g, (character) => {
    if (character === "?") return version7 ? "?" : "\\?";
    const hex = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
    return ESCAPED[character] ?? `\\${hex}`;
  });
  return `"${text}"`;
}

/**
 * The configuration of a menu and those below it as a script.
 * @param path "" for everything
 * @returns lines ended by LF
 */
function exportText(router: MenuHost, path: string, options: ExportOptions): string {
  const menus = [...router.menus.values()].filter(
    (menu) =>
      (menu.path === path || menu.path.startsWith(`${path}/`)) &&
      !menu.volatile &&
      !LEFT_OUT.includes(menu.path) &&
      (menu.commands.includes("set") || menu.commands.includes("add")),
  );
  const sections = menus
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map((menu) => section(router, menu, options));
  return [header(router), ...sections].join("");
}

function header(router: MenuHost): string {
  const time = formatTime(router.clock.now(), router.features.isoDates);
  return `# ${time} by RouterOS ${router.version}\n# software id = \n#\n# model = ${router.model}\n# serial number = ${router.serialNumber}\n`;
}

function section(router: MenuHost, menu: Menu, options: ExportOptions): string {
  const { items } = router.table(menu.path);
  const factory = new Map(new Table(menu).items.map(({ id, values }) => [id, values]));
  const lines = items.flatMap((item) =>
    item.dynamic ? [] : line(router, menu, item, factory.get(item.id), options),
  );
  if (lines.length === 0) return "";
  return `/${menu.path.slice(1).replaceAll("/", " ")}\n${lines.join("")}`;
}

/** `add …` for a row somebody added, `set …` for one that was always there and has been changed. */
function line(
  router: MenuHost,
  menu: Menu,
  item: Item,
  before: Item["values"] | undefined,
  options: ExportOptions,
): string[] {
  const fixed = before !== undefined || !menu.commands.includes("add");
  const words = argumentsOf(router, menu, item, (name, field) => {
    if (options.verbose) return undefined;
    return fixed ? before?.[name] : field.default;
  }).filter((word) => !(fixed && word.startsWith(`${menu.nameField}=`)));
  if (fixed && words.length === 0) return [];
  const target = fixed && !menu.singleton ? [quoted(item.values[menu.nameField ?? ""] ?? item.id, true)] : [];
  return [wrapped([fixed ? "set" : "add", ...target, ...words], options.terse)];
}

function argumentsOf(
  router: MenuHost,
  menu: Menu,
  item: Item,
  usual: (name: string, field: Field) => string | undefined,
): string[] {
  const words = Object.entries(menu.fields).flatMap(([name, field]) => {
    const value = item.values[name];
    if (value === undefined || field.readOnly || field.writeOnly || field.writes) return [];
    if (value === usual(name, field) || (value === "" && usual(name, field) === undefined)) return [];
    const text = field.type === boolean ? (value === "true" ? "yes" : "no") : value;
    return [`${name}=${text === "" ? '""' : quoted(text, router.features.version7)}`];
  });
  return words.toSorted();
}

/** A line joined to the next ends in a backslash; the next is indented. */
function wrapped(words: readonly string[], terse: boolean): string {
  let text = "";
  let width = 0;
  for (const word of words) {
    if (text === "") text = word;
    else if (!terse && width + word.length + 3 > LINE) {
      text += ` \\\n    ${word}`;
      width = 4 + word.length;
      continue;
    } else text += ` ${word}`;
    width += word.length + 1;
  }
  return `${text}\n`;
}

const OPTIONS = ["compact", "hide-sensitive", "show-sensitive", "terse", "verbose"];

/** `export` of a menu: to a file, or to the console; over the API without a file there is nothing but `!done`. */
export const exportOf = (path: string): OwnCommand => ({
  arguments: ["file", ...OPTIONS],
  flags: OPTIONS,
  policy: ["read"],
  run(router, given, _items, asked: Asked): Answer | undefined {
    if (given["show-sensitive"] !== undefined) requirePolicies(asked.caller, ["sensitive"]);
    const options = { verbose: given.verbose !== undefined, terse: given.terse !== undefined };
    const { file } = given;
    if (file === undefined) return asked.console ? { text: exportText(router, path, options) } : undefined;
    requirePolicies(asked.caller, ["ftp"]);
    router.files.write(file.endsWith(".rsc") ? file : `${file}.rsc`, exportText(router, path, options));
    return undefined;
  },
});

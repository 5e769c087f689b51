import type { Menu, MenuHost } from "../menus/menu.ts";
import { BUILTINS, type BuiltinSignature, type Parameter, type Signature } from "./signatures.ts";

const PRINT_FLAGS = [
  "as-value",
  "brief",
  "count-only",
  "detail",
  "follow",
  "follow-only",
  "show-ids",
  "stats",
  "terse",
  "value-list",
  "without-paging",
];
const EXPORT_FLAGS = ["compact", "hide-sensitive", "show-sensitive", "terse", "verbose"];

/** On by being named, in every command that has them. */
const ALWAYS_FLAGS = ["as-value", "without-paging"];

/** Fields whose `{ … }` is a script, kept as its text. */
const SCRIPT_FIELDS = ["source", "on-event", "script"];

const text = (name: string): Parameter => ({
  name,
  kind: SCRIPT_FIELDS.includes(name) ? "source" : "text",
});
const NUMBERS = text("numbers");

/** What the console does itself in every menu. */
const CONSOLE = ["print", "find", "export"];

/** Commands of the API alone; the console has others in their place. */
const API_ONLY = ["getall", "listen"];

/** By the menus of a version, which routers share. */
const known = new WeakMap<object, ReadonlySet<string>>();

function directoriesOf(menus: ReadonlyMap<string, Menu>): ReadonlySet<string> {
  const found = known.get(menus);
  if (found) return found;
  const directories = new Set([""]);
  for (const path of menus.keys()) {
    for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) directories.add(path.slice(0, at));
  }
  known.set(menus, directories);
  return directories;
}

/** What the console of a router knows: its menus, their commands, and what those take. */
export class Dictionary {
  readonly #router: Pick<MenuHost, "menus" | "features">;
  readonly #directories: ReadonlySet<string>;

  constructor(router: Pick<MenuHost, "menus" | "features">) {
    this.#router = router;
    this.#directories = directoriesOf(router.menus);
  }

  get version7(): boolean {
    return this.#router.features.version7;
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  builtin(name: string): BuiltinSignature | undefined {
    const signature = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
    const { features } = this.#router;
    return signature?.since === undefined || features[signature.since] ? signature : undefined;
  }

  /** The menu that holds a command; a directory without rows of its own can be exported all the same. */
  command(path: string, name: string): Menu | undefined {
    const menu = this.#router.menus.get(path);
    if (menu && hasCommand(menu, name)) return menu;
    const exports = name === "export" && this.isDirectory(path);
    return exports ? (menu ?? { path, fields: {}, commands: [] }) : undefined;
  }

  signature(menu: Menu, name: string): Signature {
    const own = CONSOLE.includes(name) ? undefined : menu.own?.[name];
    if (own) {
      const flags = [...(own.flags ?? []), ...ALWAYS_FLAGS.filter((flag) => own.arguments.includes(flag))];
      const named = own.arguments.filter((argument) => !flags.includes(argument)).map(text);
      const unnamed = (own.unnamed ?? []).map(text);
      const places = own.targets ? [NUMBERS, ...unnamed] : unnamed;
      return { unnamed: places, named, flags };
    }
    return generic(menu, name);
  }
}

function hasCommand(menu: Menu, name: string): boolean {
  if (API_ONLY.includes(name)) return false;
  if (menu.own && Object.hasOwn(menu.own, name)) return true;
  if (name === "find") return !menu.singleton && menu.commands.includes("print");
  return (menu.commands as readonly string[]).includes(name);
}

const propertiesOf = (menu: Menu): string[] => [".id", ...Object.keys(menu.fields)];

function writable(menu: Menu, adding: boolean): Parameter[] {
  const fields = Object.entries(menu.fields).filter(
    ([, field]) => !field.readOnly && (adding || !field.addOnly),
  );
  return fields.map(([name]) => text(name));
}

/** Source: the argument lists of `inspect` dumps, the same for every menu. */
function generic(menu: Menu, name: string): Signature {
  const target = menu.singleton ? [] : [NUMBERS];
  const none: Signature = { unnamed: [], named: [], flags: [] };
  switch (name) {
    case "print":
      return {
        ...none,
        named: ["proplist", "file", "interval", "from"].map(text),
        flags: PRINT_FLAGS,
        ...(menu.singleton ? {} : { properties: propertiesOf(menu) }),
      };
    case "find":
      return { ...none, properties: propertiesOf(menu), bareCondition: true };
    case "get":
      return { ...none, unnamed: [...(menu.singleton ? [] : [text("number")]), text("value-name")] };
    case "add":
      return {
        ...none,
        named: [...writable(menu, true), ...(menu.ordered ? [text("place-before")] : []), text("copy-from")],
      };
    case "set": {
      const named = writable(menu, false);
      const unset = Object.entries(menu.fields).filter(([, field]) => field.clearable);
      return { ...none, unnamed: target, named, unset: unset.map(([field]) => field) };
    }
    case "unset":
      return { ...none, unnamed: [...target, text("value-name")] };
    case "comment":
      return { ...none, unnamed: target, named: [text("comment")] };
    case "move":
      return { ...none, unnamed: [NUMBERS, text("destination")] };
    case "export":
      return { ...none, named: [text("file")], flags: EXPORT_FLAGS };
    default:
      return { ...none, unnamed: target };
  }
}

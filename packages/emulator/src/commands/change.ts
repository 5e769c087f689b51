import type { Caller } from "../caller.ts";
import type { Change, Field, Menu, MenuHost } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";
import { type Item, rowOf } from "../table.ts";
import { type Command, done, type Outcome, TARGET_ARGUMENTS, targets, unknownParameter } from "./command.ts";

const acceptedBy = (command: "add" | "set", field: Field | undefined): field is Field =>
  field !== undefined && !field.readOnly && (command === "add" || !field.addOnly);

/** Check and spell the arguments of `add` or `set`; those that name rows or a place are left out. */
function readArguments(router: MenuHost, command: Command, kind: "add" | "set"): Record<string, string> {
  const { menu, attributes } = command;
  const skipped =
    kind === "add" ? (menu.ordered ? ["place-before"] : []) : menu.singleton ? [] : TARGET_ARGUMENTS;
  const given = rowOf({});
  for (const [name, text] of Object.entries(attributes)) {
    if (skipped.includes(name)) continue;
    if (name === "copy-from" && kind === "add") throw refusals.notEmulated("copy-from");
    const field = menu.fields[name];
    if (!acceptedBy(kind, field)) throw unknownParameter(router, name);
    given[field.writes ?? name] = field.clearable && text === "" ? "" : field.type.read(text, name);
  }
  return given;
}

const asking = ({ username, policies }: Caller) => ({ username, policies });

/** The row after the arguments are written into it; an empty value takes a clearable property away. */
function written(
  menu: Menu,
  before: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
) {
  const after = rowOf({ ...before, ...given });
  for (const [name, value] of Object.entries(after)) {
    if (value === "" && menu.fields[name]?.clearable) delete after[name];
  }
  return after;
}

function refuseDuplicate(router: MenuHost, menu: Menu, change: Change): void {
  const { unique } = menu;
  if (!unique) return;
  const other = router.table(menu.path).other(unique.fields, change.after, change.item);
  if (other) throw refusals.failure(unique.refusal);
}

/** `add`: answers the new row's id in `=ret=`. */
export async function add(router: MenuHost, command: Command, caller: Caller): Promise<Outcome> {
  const { menu, attributes } = command;
  const given = readArguments(router, command, "add");
  const defaults = rowOf({});
  const required = Object.entries(menu.fields).filter(([, field]) => field.required);
  const [first, ...others] = required.map(([name]) => name).filter((name) => given[name] === undefined);
  if (first !== undefined) throw refusals.missing(first, ...others);
  for (const [name, field] of Object.entries(menu.fields)) {
    if (field.default !== undefined) defaults[name] = field.default;
  }
  const after = written(menu, defaults, given);
  const { username, policies } = caller;
  const before = rowOf({});
  const change: Change = { command: "add", item: undefined, before, after, given, username, policies };
  menu.check?.(router, change);
  refuseDuplicate(router, menu, change);
  const place = placeBefore(router, menu, attributes["place-before"]);
  const dynamic = menu.isDynamic?.(after) ?? false;
  const item = router.table(menu.path).add(after, { before: place, dynamic });
  await menu.applied?.(router, change, item);
  router.commit();
  return { replies: [done({ ret: item.id })] };
}

function placeBefore(router: MenuHost, menu: Menu, id: string | undefined): Item | undefined {
  if (id === undefined) return undefined;
  const item = router.table(menu.path).byId(id);
  if (!item) throw refusals.noItem();
  return item;
}

/** Rows a command may change: those of the table. Live rows are configured elsewhere. */
function changeable(router: MenuHost, command: Command): readonly Item[] {
  const table = router.table(command.menu.path);
  if (command.menu.singleton) return table.items;
  const items = targets(router, command);
  if (items.some((item) => table.byId(item.id) !== item)) throw refusals.configuredElsewhere();
  return items;
}

/** `set`: all rows named, or none if one of them is refused. */
export function set(router: MenuHost, command: Command, caller: Caller): Promise<Outcome> {
  const items = changeable(router, command);
  return write(router, command.menu, items, readArguments(router, command, "set"), caller);
}

async function write(
  router: MenuHost,
  menu: Menu,
  items: readonly Item[],
  given: Readonly<Record<string, string>>,
  caller: Caller,
): Promise<Outcome> {
  const changes = items.map((item): Change & { item: Item } => {
    const before = rowOf(item.values);
    const after = written(menu, before, given);
    return { command: "set", item, before, after, given, ...asking(caller) };
  });
  const carriedOut = changes.filter((change) => {
    const verdict = menu.check?.(router, change);
    refuseDuplicate(router, menu, change);
    return verdict !== "ignore";
  });
  for (const change of carriedOut) {
    router.table(menu.path).set(change.item, change.after);
    await menu.applied?.(router, change, change.item);
  }
  router.commit();
  return { replies: [done()] };
}

/** `enable`, `disable` and `comment` are `set` of one property. */
export function setOne(name: string, value: string | undefined) {
  return (router: MenuHost, command: Command, caller: Caller): Promise<Outcome> => {
    const allowed = [...TARGET_ARGUMENTS, ...(value === undefined ? [name] : [])];
    const unknown = Object.keys(command.attributes).find((argument) => !allowed.includes(argument));
    if (unknown !== undefined) throw unknownParameter(router, unknown);
    const given = value ?? command.attributes[name] ?? "";
    return write(router, command.menu, changeable(router, command), rowOf({ [name]: given }), caller);
  };
}

/** `unset` takes one property away, named in `=value-name=`. */
export function unset(router: MenuHost, command: Command, caller: Caller): Promise<Outcome> {
  const { menu, attributes } = command;
  const name = attributes["value-name"];
  if (name === undefined) throw refusals.missing("value-name");
  const field = menu.fields[name];
  if (!field?.clearable && name !== "address") throw refusals.noMatch("value-name");
  return write(router, menu, changeable(router, command), rowOf({ [name]: "" }), caller);
}

/** `remove`: rows of the table go; live rows (sessions) are ended where the menu can do that. */
export async function remove(router: MenuHost, command: Command, caller: Caller): Promise<Outcome> {
  const { menu } = command;
  const table = router.table(menu.path);
  const items = targets(router, command);
  const changes = items.map((item): Change & { item: Item } => ({
    command: "remove",
    item,
    before: item.values,
    after: item.values,
    given: {},
    ...asking(caller),
  }));
  for (const change of changes) menu.check?.(router, change);
  for (const change of changes) {
    if (table.byId(change.item.id) === change.item) table.remove(change.item);
    else if (menu.removeLive) menu.removeLive(router, change.item);
    else throw refusals.configuredElsewhere();
    await menu.applied?.(router, change, change.item);
  }
  router.commit();
  return { replies: [done()] };
}

/** `move`: before `=destination=`, or to the end without one. */
export async function move(router: MenuHost, command: Command): Promise<Outcome> {
  const { menu, attributes } = command;
  const unknown = Object.keys(attributes).find(
    (name) => ![...TARGET_ARGUMENTS, "destination"].includes(name),
  );
  if (unknown !== undefined) throw unknownParameter(router, unknown);
  const moved = changeable(router, command);
  const destination = placeBefore(router, menu, attributes.destination);
  if (!destination || !moved.includes(destination)) router.table(menu.path).move(moved, destination);
  router.commit();
  return { replies: [done()] };
}

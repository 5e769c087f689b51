import { type Caller, requirePolicies } from "../caller.ts";
import type { Menu, MenuHost } from "../menus/menu.ts";
import { passes } from "../query.ts";
import { refusals } from "../refusal.ts";
import { printed } from "../script/printed.ts";
import { type Item, rowOf } from "../table.ts";
import {
  attributeWords,
  type Command,
  done,
  type Outcome,
  type Reply,
  targets,
  unknownParameter,
} from "./command.ts";
import { following, requireListening } from "./follow.ts";

/** Accepted and without effect over the API, where every property is sent anyway. */
const NO_EFFECT = ["as-value", "without-paging"];
const NO_EFFECT_ON_LISTS = ["detail", "brief", "terse", "value-list", "show-ids", "stats"];
const LIST_OPTIONS = ["count-only", "follow", "follow-only", "file"];
const FOLLOWING = ["follow-only", "follow"] as const;
/** Options RouterOS has and the emulator hasn't. */
const NOT_EMULATED = ["interval", "append", "from", "group-by", "order-by", "on-event", "oid", "timestamp"];

/** A row as print shows it: every property in the menu's order, secrets left out, worked-out ones filled in. */
export function present(router: MenuHost, menu: Menu, item: Item): Record<string, string> {
  const all = { ...item.values, ...menu.computed?.(router, item) };
  const row = rowOf(menu.singleton ? {} : { ".id": item.id });
  for (const [name, field] of Object.entries(menu.fields)) {
    const value = all[name];
    if (value !== undefined && !field.writeOnly && !field.writes) row[name] = value;
  }
  return row;
}

function refuseOptions(router: MenuHost, { menu, attributes }: Command): void {
  const known = menu.singleton ? NO_EFFECT : [...NO_EFFECT, ...NO_EFFECT_ON_LISTS, ...LIST_OPTIONS];
  for (const name of Object.keys(attributes)) {
    if (known.includes(name) || name === ".proplist" || name === "proplist") continue;
    if (NOT_EMULATED.includes(name)) throw refusals.notEmulated(`print ${name}`);
    throw unknownParameter(router, name);
  }
}

/** Cut a row down to `.proplist`; properties it lacks are left out. */
function project(
  row: Record<string, string>,
  proplist: readonly string[] | undefined,
): Record<string, string> {
  if (!proplist) return row;
  const cut = rowOf({});
  for (const name of proplist) {
    const value = row[name];
    if (value !== undefined) cut[name] = value;
  }
  return cut;
}

/** The rows of a command's menu that its queries keep, whole. */
function rowsOf(router: MenuHost, { menu, queries }: Command): readonly Record<string, string>[] {
  const rows = router.items(menu).map((item) => present(router, menu, item));
  return rows.filter((row) => passes(queries, row));
}

function countOf(router: MenuHost, command: Command): number {
  // Every row counts where nothing is asked of it: a large list is counted without a look at it.
  return command.queries.length === 0 ? router.items(command.menu).length : rowsOf(router, command).length;
}

/**
 * `print` and `getall`, with `file` (written as the console prints, and answered all the same), `.proplist`, queries,
 * `count-only`, `follow` and `follow-only`.
 */
export function print(router: MenuHost, command: Command, caller: Caller): Outcome {
  refuseOptions(router, command);
  const { menu, attributes, queries } = command;
  const asked = (option: string) => attributes[option] !== undefined;
  const option = FOLLOWING.find(asked);
  const listening = option && requireListening(router, menu, option);
  if (attributes.file !== undefined) {
    requirePolicies(caller, ["ftp"]);
    router.files.write(`${attributes.file}.txt`, printed(menu, rowsOf(router, command), asked));
  }
  if (asked("count-only")) return { replies: [done({ ret: String(countOf(router, command)) })] };
  const proplist = (attributes[".proplist"] ?? attributes.proplist)?.split(",");
  const sentence = (row: Record<string, string>): Reply => ["!re", ...attributeWords(project(row, proplist))];
  const sentences = option === "follow-only" ? [] : rowsOf(router, command).map(sentence);
  if (listening) {
    const sentenceOf = (item: Item): Reply | undefined => {
      const row = present(router, menu, item);
      return passes(queries, row) ? sentence(row) : undefined;
    };
    return following(router, menu, { listening, sentenceOf, filtered: queries.length > 0 }, sentences);
  }
  const nothing: Reply[] = sentences.length === 0 && router.features.emptySentence ? [["!empty"]] : [];
  return { replies: [...sentences, ...nothing, done()] };
}

/** `listen`: RouterOS implements it as `print follow-only`. */
export function listen(router: MenuHost, command: Command, caller: Caller): Outcome {
  return print(router, { ...command, attributes: { ...command.attributes, "follow-only": "" } }, caller);
}

/** `get`: one property of one row, in `=ret=`. */
export function get(router: MenuHost, command: Command): Outcome {
  const { menu, attributes } = command;
  const wanted = attributes["value-name"];
  if (wanted === undefined) throw refusals.missing("value-name");
  const byNumber = { ...attributes, ".id": attributes[".id"] ?? attributes.number };
  const [item] = menu.singleton
    ? router.items(menu)
    : targets(router, { ...command, attributes: byNumber as Command["attributes"] });
  if (!item) throw refusals.noItem();
  const field = menu.fields[wanted];
  if (!field || field.writeOnly) throw refusals.noMatch("value-name");
  const value = present(router, menu, item)[wanted];
  return { replies: [done(value === undefined ? {} : { ret: value })] };
}

import { type Caller, requirePolicies } from "../caller.ts";
import { type Command, ownCommand, present, run as runGeneric, runOwn } from "../commands/index.ts";
import type { Menu, MenuHost } from "../menus/menu.ts";
import { Refusal, refusals } from "../refusal.ts";
import { type Item, rowOf } from "../table.ts";
import type { Expression, Statement } from "./ast.ts";
import { Scope } from "./environment.ts";
import { ScriptError, scriptErrors } from "./errors.ts";
import { printed } from "./printed.ts";
import { propertyValue } from "./properties.ts";
import type { Run } from "./run.ts";
import { bytesOf, textOf } from "./text.ts";
import { id, list, NOTHING, num, readWord, record, render, str, type Value, wireText } from "./values.ts";

type MenuCommand = Extract<Statement, { kind: "command" }>;
type Row = Readonly<Record<string, string>>;

/**
 * Carry out a command of a menu as the API would, for the caller of the run.
 * @throws ScriptError with the words of whatever refused
 */
export async function runCommand(run: Run, statement: MenuCommand, scope: Scope): Promise<Value> {
  const { menu, name, position } = statement;
  try {
    return run.bounded(await carryOut(run, statement, scope));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { features } = run.router;
    const where = features.errorLocation ? ` (${menu.path}/${name}; line ${position.line})` : "";
    const message = error.missing ? scriptErrors.missing(error.missing).message : error.message;
    throw new ScriptError(`${message}${where}`);
  }
}

async function carryOut(run: Run, statement: MenuCommand, scope: Scope): Promise<Value> {
  const { menu, name } = statement;
  const { router, caller } = run;
  const given = new Map<string, Value>();
  for (const [argument, expression] of statement.given) {
    given.set(argument, await run.value(expression, scope));
  }
  const own = ownCommand(menu, name);
  if (!own && (name === "find" || name === "print")) {
    requirePolicies(caller, ["read"]);
    const found = await select(run, menu, statement.where, scope);
    return name === "find" ? list(found.map(({ item }) => id(item.id))) : print(run, menu, given, found);
  }
  const attributes = attributesOf(router, menu, given, statement.unset, !own);
  if (!attributes) return NOTHING;
  const command: Command = { menu, name, attributes, queries: [] };
  if (own) return answerOwn(run, command, own, given);
  if (name === "get" && attributes["value-name"] === undefined) return getAll(router, caller, command);
  const { replies } = await runGeneric(router, command, caller);
  return name === "get" ? gotten(menu, attributes, retIn(replies)) : idOrNothing(retIn(replies));
}

interface Found {
  readonly item: Item;
  readonly row: Row;
}

/** Rows of a menu that meet a condition. */
async function select(
  run: Run,
  menu: Menu,
  where: Expression | undefined,
  scope: Scope,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  // A copy: rows may come and go while a condition is worked out.
  for (const item of [...run.router.items(menu)]) {
    const row = present(run.router, menu, item);
    if (!where || holds(await run.value(where, new Scope(scope, propertiesOf(menu, row))))) {
      found.push({ item, row });
    }
  }
  return found;
}

const propertiesOf = (menu: Menu, row: Row) =>
  new Map(Object.entries(row).map(([name, value]) => [name, propertyValue(menu, name, value)]));

/** A property alone holds where the row has it: `where dynamic`, `where comment`. */
function holds(value: Value): boolean {
  if (value.type === "bool") return value.value;
  return value.type !== "nothing" && render(value) !== "";
}

async function print(
  run: Run,
  menu: Menu,
  given: ReadonlyMap<string, Value>,
  found: readonly Found[],
): Promise<Value> {
  for (const option of ["follow", "follow-only", "interval", "from"]) {
    if (given.has(option)) throw refusals.notEmulated(`print ${option}`);
  }
  if (given.has("count-only")) return num(found.length);
  const proplist = given.get("proplist");
  const wanted = proplist && wireText(proplist).split(",");
  const rows = found.map(({ row }) =>
    wanted ? rowOf(Object.fromEntries(wanted.flatMap((name) => pair(name, row[name])))) : row,
  );
  if (given.has("as-value")) {
    const values = rows.map((row) => record(Object.fromEntries(propertiesOf(menu, row))));
    return menu.singleton ? (values[0] ?? NOTHING) : list(values);
  }
  const output = printed(menu, rows, (option) => given.has(option));
  const file = given.get("file");
  if (file) run.router.files.write(`${textOf(render(file))}.txt`, output);
  else if (output !== "") run.print(bytesOf(output));
  return NOTHING;
}

const pair = (name: string, value: string | undefined): [string, string][] =>
  value === undefined ? [] : [[name, value]];

/** Arguments that name rows: their ids, the names rows have, or their numbers in the order of `print`. */
const TARGETS = ["numbers", "number", "destination", "place-before"];

/** @returns undefined when the rows meant are an empty list: nothing is done then */
function attributesOf(
  router: MenuHost,
  menu: Menu,
  given: ReadonlyMap<string, Value>,
  unset: readonly string[],
  generic: boolean,
): Record<string, string> | undefined {
  const attributes = rowOf({});
  for (const name of unset) attributes[name] = "";
  for (const [name, value] of given) {
    if (!TARGETS.includes(name)) {
      attributes[name] = textOf(wireText(value));
      continue;
    }
    const words = targetWords(value).map((word) => targetOf(router, menu, word, name === "place-before"));
    if (words.length === 0 && name === "numbers") return undefined;
    if (words.length !== 1 && name !== "numbers") throw refusals.noItem();
    attributes[name === "number" && generic ? ".id" : name] = words.join(",");
  }
  return attributes;
}

function targetWords(value: Value): readonly string[] {
  if (value.type === "array") return value.items.map((item) => textOf(render(item.value)));
  return textOf(render(value)).split(",");
}

/** Inside the API a target is an id or a name; a number and a rule's comment become ids here. */
function targetOf(router: MenuHost, menu: Menu, word: string, byComment: boolean): string {
  if (/^\*[0-9A-F]+$/.test(word)) return word;
  const items = router.items(menu);
  const named = items.filter(({ values }) => menu.nameField && values[menu.nameField] === word);
  if (named.length > 0) return word;
  if (/^\d{1,9}$/.test(word)) {
    const item = items[Number(word)];
    if (item) return item.id;
  }
  const commented = byComment ? items.filter(({ values }) => values.comment === word) : [];
  const [only, ...others] = commented;
  if (!only || others.length > 0) throw refusals.noItem();
  return only.id;
}

function retIn(replies: readonly (readonly string[])[]): string | undefined {
  const words = replies.at(-1) ?? [];
  return words.find((word) => word.startsWith("=ret="))?.slice("=ret=".length);
}

function gotten(menu: Menu, attributes: Row, ret: string | undefined): Value {
  return ret === undefined ? NOTHING : propertyValue(menu, attributes["value-name"] ?? "", ret);
}

const idOrNothing = (ret: string | undefined): Value => (ret === undefined ? NOTHING : id(ret));

/** `get` without a property is the whole row. */
function getAll(router: MenuHost, caller: Caller, { menu, attributes }: Command): Value {
  requirePolicies(caller, ["read"]);
  const items = router.items(menu);
  const target = attributes[".id"];
  const isIt = (item: Item) =>
    item.id === target || (menu.nameField && item.values[menu.nameField] === target);
  const [item, second] = menu.singleton ? items : items.filter(isIt);
  if (!item || second) throw refusals.noItem();
  return record(Object.fromEntries(propertiesOf(menu, present(router, menu, item))));
}

async function answerOwn(
  run: Run,
  command: Command,
  definition: NonNullable<ReturnType<typeof ownCommand>>,
  given: ReadonlyMap<string, Value>,
): Promise<Value> {
  const rows: Row[] = [];
  const asValue = given.has("as-value");
  const answer = await runOwn(run.router, command, definition, {
    caller: run.caller,
    console: true,
    row: ({ ".section": _section, ...row }) => rows.push(row),
    signal: run.signal ?? new AbortController().signal,
  });
  if (answer?.text) run.print(bytesOf(answer.text));
  const last = rows.at(-1);
  if (asValue && last) {
    return record(
      Object.fromEntries(Object.entries(last).map(([name, value]) => [name, str(bytesOf(value))])),
    );
  }
  if (last) {
    for (const [name, value] of Object.entries(last)) run.print(bytesOf(`${name.padStart(12)}: ${value}`));
  }
  if (answer?.ret === undefined) return NOTHING;
  return /^\*[0-9A-F]+$/.test(answer.ret) ? readWord(answer.ret) : str(bytesOf(answer.ret));
}

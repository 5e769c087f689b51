import type { Row } from "@portreeve/routeros";
import type { Menu, MenuHost } from "../menus/menu.ts";
import { Refusal, refusals } from "../refusal.ts";
import type { Item } from "../table.ts";

/** A command as it came: menu found, arguments not yet read. */
export interface Command {
  readonly menu: Menu;
  readonly name: string;
  readonly attributes: Row;
  readonly queries: readonly string[];
}

/** Words of one reply sentence, without the tag. */
export type Reply = readonly string[];

/** What a command answers. With `follow` it sends more after its replies, until it is cancelled. */
export interface Outcome {
  readonly replies: readonly Reply[];
  /** A slow command: emits its rows as they come and resolves to its last sentences, `!done` among them. */
  readonly ongoing?: (emit: (reply: Reply) => void, signal: AbortSignal) => Promise<readonly Reply[]>;
  /** Subscribe `emit` to what happens from now on; the returned function ends it. */
  readonly follow?: (emit: (reply: Reply) => void) => () => void;
}

export const done = (attributes: Readonly<Record<string, string>> = {}): Reply => [
  "!done",
  ...attributeWords(attributes),
];

export const attributeWords = (row: Readonly<Record<string, string>>): string[] =>
  Object.entries(row).map(([name, value]) => `=${name}=${value}`);

/** `!trap` sentences of a refusal, then `!done`: a client reads on to `!done`. */
export function refusalReplies(error: unknown): readonly Reply[] {
  if (!(error instanceof Refusal)) throw error;
  const traps: Reply[] = [];
  for (let trap: Refusal | undefined = error; trap; trap = trap.also) {
    const category = trap.category === undefined ? [] : [`=category=${trap.category}`];
    traps.push(["!trap", ...category, `=message=${trap.message}`]);
  }
  return [...traps, done()];
}

export function unknownParameter(router: MenuHost, name: string): Refusal {
  return router.features.version7 ? refusals.unknownParameter(name) : refusals.unknownParameterOld();
}

/** Arguments that name the rows a command is about. */
export const TARGET_ARGUMENTS: readonly string[] = [".id", "numbers"];

/**
 * The rows named in `=.id=` or `=numbers=`: ids or names, a comma list of them. A name that several rows have
 * names none of them; in `/ip/service` since 7.19 it names the static row and the open connections alike.
 */
export function targets(router: MenuHost, command: Command): readonly Item[] {
  const { menu, attributes } = command;
  const given = attributes[".id"] ?? attributes.numbers;
  if (given === undefined) throw refusals.missing(".id");
  const live = menu.liveRows?.(router) ?? [];
  return given.split(",").flatMap((word) => find(router, menu, live, word));
}

function find(router: MenuHost, menu: Menu, live: readonly Item[], word: string): readonly Item[] {
  const table = router.table(menu.path);
  const byId = table.byId(word) ?? live.find(({ id }) => id === word);
  if (byId) return [byId];
  const { nameField } = menu;
  const items = [...table.items, ...live];
  const named = nameField === undefined ? [] : items.filter(({ values }) => values[nameField] === word);
  const withoutLive = named.filter((item) => !item.dynamic);
  if (withoutLive.length !== 1) throw refusals.noItem();
  return named;
}

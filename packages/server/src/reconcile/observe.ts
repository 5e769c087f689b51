import {
  type MenuFacts,
  type RouterClient,
  type RouterOsVersion,
  type Row,
  TrapError,
  wireFieldName,
} from "@portreeve/routeros";
import type { DesiredMenu, Observed } from "./types.ts";

/**
 * Read from the router every menu the plan is about: the properties it compares and no others, and of an ordered menu
 * the whole rows, because what other people's rules match decides what ours mean.
 */
export async function observe(
  client: RouterClient,
  desired: readonly DesiredMenu[],
  version: RouterOsVersion,
  signal: AbortSignal,
): Promise<Observed> {
  const menus = new Map(desired.map(({ menu }) => [menu.path, menu]));
  const reads = [...menus.values()].map(async (menu) => {
    const rows = await readMenu(client, menu, version, signal);
    return rows ? [[menu.path, rows] as const] : [];
  });
  return new Map((await Promise.all(reads)).flat());
}

async function readMenu(
  client: RouterClient,
  menu: MenuFacts,
  version: RouterOsVersion,
  signal: AbortSignal,
): Promise<Row[] | undefined> {
  try {
    const proplist = menu.ordered ? {} : { proplist: comparedProperties(menu, version) };
    return await client.print(menu.path, { ...proplist, signal });
  } catch (error) {
    if (menu.optional && error instanceof TrapError && error.unknownCommand) return undefined;
    throw error;
  }
}

function comparedProperties(menu: MenuFacts, version: RouterOsVersion): string[] {
  const proplist = new Set([".id", menu.key]);
  if (menu.skips) proplist.add("dynamic");
  for (const name of menu.alsoRead ?? []) proplist.add(name);
  for (const [name, facts] of Object.entries(menu.fields)) {
    if (facts.kind === "secret") continue;
    for (const wireName of facts.alsoReadAs ?? [wireFieldName(facts, name, version)]) proplist.add(wireName);
  }
  return [...proplist];
}

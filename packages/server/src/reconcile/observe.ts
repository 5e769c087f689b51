import {
  type MenuFacts,
  type RouterClient,
  type RouterOsVersion,
  type Row,
  TrapError,
  wireFieldName,
} from "@portreeve/routeros";
import type { DesiredMenu, Observed, Print } from "./types.ts";

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
  const menus = Map.groupBy(desired, ({ menu }) => menu.path);
  const reads = [...menus.values()].map(async (parts) => {
    const { menu, prints = [{ queries: [] }] } =
      parts.find((part) => !part.prints) ?? (parts[0] as DesiredMenu);
    const rows = await readMenu(client, menu, { version, prints, signal });
    return rows ? [[menu.path, rows] as const] : [];
  });
  return new Map((await Promise.all(reads)).flat());
}

/** As modules that want nothing: to read menus whole. */
export function wholeMenus(menus: readonly MenuFacts[]): DesiredMenu[] {
  return menus.map((menu) => ({ menu, rows: [], owns: () => false }));
}

async function readMenu(
  client: RouterClient,
  menu: MenuFacts,
  { version, prints, signal }: { version: RouterOsVersion; prints: readonly Print[]; signal: AbortSignal },
): Promise<Row[] | undefined> {
  const compared = menu.ordered ? {} : { proplist: comparedProperties(menu, version) };
  const read = (print: Print) => client.print(menu.path, { ...compared, ...print, signal });
  try {
    return (await Promise.all(prints.map(read))).flat();
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

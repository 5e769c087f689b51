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
  const byPath = Map.groupBy(desired, ({ menu }) => menu.path);
  const reads = [...byPath].map(async ([path, parts]) => {
    const rows = await readMenu(client, parts, version, signal);
    return rows ? [[path, rows] as const] : [];
  });
  return new Map((await Promise.all(reads)).flat());
}

/** As modules that want nothing: to read menus whole. */
export function wholeMenus(menus: readonly MenuFacts[]): DesiredMenu[] {
  return menus.map((menu) => ({ menu, rows: [], owns: () => false }));
}

async function readMenu(
  client: RouterClient,
  parts: readonly DesiredMenu[],
  version: RouterOsVersion,
  signal: AbortSignal,
): Promise<Row[] | undefined> {
  const { menu } = parts[0] as DesiredMenu;
  try {
    const proplist = menu.ordered ? {} : { proplist: comparedProperties(menu, version) };
    return await client.print(menu.path, { ...proplist, queries: narrowing(parts), signal });
  } catch (error) {
    if (menu.optional && error instanceof TrapError && error.unknownCommand) return undefined;
    throw error;
  }
}

/** Query words for the rows that any of the modules wants; none where one of them wants all. */
function narrowing(parts: readonly DesiredMenu[]): string[] {
  if (!parts.every(({ among }) => among)) return [];
  const wanted = parts.flatMap(({ among }) => among?.values.map((text) => `?${among.field}=${text}`) ?? []);
  return [...new Set(wanted)].flatMap((word, i) => (i === 0 ? [word] : [word, "?#|"]));
}

function comparedProperties(menu: MenuFacts, version: RouterOsVersion): string[] {
  const proplist = new Set([".id", menu.key]);
  if (menu.skips) proplist.add("dynamic");
  for (const [name, facts] of Object.entries(menu.fields)) {
    if (facts.kind === "secret") continue;
    for (const wireName of facts.alsoReadAs ?? [wireFieldName(facts, name, version)]) proplist.add(wireName);
  }
  return [...proplist];
}

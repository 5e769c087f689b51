import { type RouterClient, type RouterOsVersion, type Row, wireFieldName } from "@portreeve/routeros";
import type { DesiredMenu, Observed } from "./types.ts";

/** Read from the router every menu the plan is about, with the properties it compares and no others. */
export async function observe(
  client: RouterClient,
  desired: readonly DesiredMenu[],
  version: RouterOsVersion,
  signal: AbortSignal,
): Promise<Observed> {
  const menus = new Map(desired.map(({ menu }) => [menu.path, menu]));
  const reads = [...menus.values()].map(async (menu): Promise<[string, Row[]]> => {
    const proplist = new Set([".id", menu.key]);
    if (menu.skips) proplist.add("dynamic");
    for (const [name, facts] of Object.entries(menu.fields)) {
      if (facts.kind === "secret") continue;
      for (const wireName of facts.alsoReadAs ?? [wireFieldName(facts, name, version)])
        proplist.add(wireName);
    }
    return [menu.path, await client.print(menu.path, { proplist: [...proplist], signal })];
  });
  return new Map(await Promise.all(reads));
}

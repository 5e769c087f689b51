/** Which menus, and what of them, a plan has to see. Pure. */
import { type MenuFacts, type RouterOsVersion, wireFieldName } from "@portreeve/routeros";
import type { MenuRead } from "./link.ts";
import type { DesiredMenu } from "./types.ts";

/**
 * Every menu the plan is about: the properties it compares and no others, and of an ordered menu the whole rows,
 * because what other people's rules match decides what ours mean.
 */
export function readsOf(desired: readonly DesiredMenu[], version: RouterOsVersion): MenuRead[] {
  const menus = Map.groupBy(desired, ({ menu }) => menu.path);
  return [...menus.values()].map((parts) => {
    const whole = parts.find((part) => !part.prints) ?? (parts[0] as DesiredMenu);
    const { menu, prints = [{ queries: [] }] } = whole;
    const compared = menu.ordered ? {} : { proplist: comparedProperties(menu, version) };
    return {
      menu: menu.path,
      prints: prints.map((print) => ({ ...compared, ...print })),
      optional: menu.optional === true,
    };
  });
}

/** As modules that want nothing: to read menus whole. */
export function wholeMenus(menus: readonly MenuFacts[]): DesiredMenu[] {
  return menus.map((menu) => ({ menu, rows: [], owns: "none" }));
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

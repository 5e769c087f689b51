import type { Menu, MenuHost } from "../menus/menu.ts";
import { refusals } from "../refusal.ts";

/** `listen` is there wherever `print` is; a menu that can't do it refuses the parameter it stands for. */
const hasCommand = (menu: Menu, name: string): boolean =>
  (menu.commands as readonly string[]).includes(name === "listen" ? "print" : name) ||
  menu.own?.[name] !== undefined;

/**
 * Find menu and command of a word such as "/ip/service/print".
 * @throws Refusal unknown menu (two traps), unknown command, or something written behind a command
 */
export function resolve(router: MenuHost, word: string): { menu: Menu; name: string } {
  const parts = word.replace(/^\//, "").split("/");
  let path = "";
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const menu = router.menus.get(path);
    if (menu && hasCommand(menu, part)) {
      if (last) return { menu, name: part };
      throw refusals.unknownPrefix();
    }
    if (last && part === "export" && (path === "" || isDirectory(router, path))) {
      return { menu: menu ?? { path, fields: {}, commands: [] }, name: part };
    }
    const next = `${path}/${part}`;
    if (!isDirectory(router, next)) throw last ? refusals.unknownCommand() : refusals.unknownMenu(part);
    path = next;
  }
  throw refusals.unknownCommand();
}

/** Paths of every menu and of what lies above it; the menus of a version are shared and never change. */
const directories = new WeakMap<MenuHost["menus"], ReadonlySet<string>>();

function isDirectory(router: MenuHost, path: string): boolean {
  const known = directories.get(router.menus) ?? new Set([...router.menus.keys()].flatMap(withParents));
  directories.set(router.menus, known);
  return known.has(path);
}

/** "/ip/service" and "/ip" */
function withParents(path: string): readonly string[] {
  const parts = path.split("/").slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

import type { MenuHost } from "../menus/menu.ts";
import type { Globals } from "./environment.ts";

/** What a script sees of the router it runs on: what menus see, and the global variables themselves. */
export interface ScriptHost extends MenuHost {
  readonly globals: Globals;
}

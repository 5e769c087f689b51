/**
 * What a menu does with `listen`, `print follow` and `print follow-only`.
 * `works`: sends each change; menus of one row refuse, as RouterOS does. `refused`: `unknown parameter follow-only`, as
 * from a menu that can't do it. `silent`: accepted, and nothing ever comes. `everyMs`: sends each change, and all rows
 * again so often on the router's clock, as a menu whose rows never rest.
 */
export type Listening = "works" | "refused" | "silent" | { readonly everyMs: number };

/** By path of a menu; `*` for all that aren't named. */
export type ListeningByMenu = Readonly<Record<string, Listening>>;

export const listeningIn = (menus: ListeningByMenu | undefined, path: string): Listening =>
  menus?.[path] ?? menus?.["*"] ?? "works";

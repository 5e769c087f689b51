import { refusals } from "../refusal.ts";
import { oneOf } from "../values.ts";
import type { Menu, MenuHost, OwnCommand } from "./menu.ts";

/** Commands of the session that gives them; a script has no session of its own. */
const command = (run: (session: string, router: Parameters<OwnCommand["run"]>[0]) => Promise<void> | void) =>
  ({
    arguments: [],
    policy: ["read", "write"],
    run(router, _given, _items, { caller }) {
      if (caller.id === undefined) throw refusals.failure("safe mode needs a session");
      return run(caller.id, router);
    },
  }) satisfies OwnCommand;

/** Who holds it, by the manual's names of the properties; the rows of a session differ in `current`. */
function describe(router: MenuHost, caller: string | undefined): Readonly<Record<string, string>> {
  const { holder } = router.safeMode;
  const user = holder === undefined ? undefined : router.sessions.byId(holder)?.username;
  return {
    enabled: String(holder !== undefined),
    ...(user === undefined ? {} : { user }),
    current: String(holder !== undefined && holder === caller),
    ...(user === undefined ? {} : { owner: user }),
  };
}

/** From 7.18; properties: manual, command reference. `get` without a property answers `current`. */
export const safeMode: Menu = {
  path: "/safe-mode",
  commands: [],
  fields: {},
  own: {
    take: command((session, router) => router.safeMode.take(session)),
    release: command((session, router) => router.safeMode.release(session)),
    unroll: command((session, router) => router.safeMode.unroll(session)),
    print: {
      arguments: ["as-value", ".proplist", "proplist"],
      flags: ["as-value"],
      policy: ["read"],
      run: (router, _given, _items, { caller, row }) => row(describe(router, caller.id)),
    },
    get: {
      arguments: ["value-name"],
      unnamed: ["value-name"],
      policy: ["read"],
      run(router, given, _items, { caller }) {
        const name = oneOf(["enabled", "user", "current", "owner"]).read(
          given["value-name"] ?? "current",
          "value-name",
        );
        const value = describe(router, caller.id)[name];
        return value === undefined ? undefined : { ret: value };
      },
    },
  },
};

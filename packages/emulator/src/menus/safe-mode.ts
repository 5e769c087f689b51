import { refusals } from "../refusal.ts";
import type { Menu, OwnCommand } from "./menu.ts";

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

/** From 7.18. What `get` answers isn't published: whether this session holds it. */
export const safeMode: Menu = {
  path: "/safe-mode",
  commands: [],
  fields: {},
  own: {
    take: command((session, router) => router.safeMode.take(session)),
    release: command((session, router) => router.safeMode.release(session)),
    unroll: command((session, router) => router.safeMode.unroll(session)),
    get: {
      arguments: [],
      policy: ["read"],
      run: (router, _given, _items, { caller }) => ({
        ret: String(caller.id !== undefined && router.safeMode.holder === caller.id),
      }),
    },
  },
};

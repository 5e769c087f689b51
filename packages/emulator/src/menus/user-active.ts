import { refusals } from "../refusal.ts";
import { text } from "../values.ts";
import type { MenuFor, OwnCommand } from "./menu.ts";

const readOnly = { type: text, readOnly: true } as const;

/** Ends the sessions for good: their connections close. A session that has gone meanwhile is no error. */
const requestLogout: OwnCommand = {
  arguments: [],
  policy: ["policy"],
  targets: true,
  run(router, _given, items) {
    for (const { id } of items) router.sessions.byId(id)?.end();
  },
};

/** Sessions are ended by `request-logout` up to 7.19, by `remove` from 7.20; RouterOS 6 has neither. */
export const userActive: MenuFor = (features) => ({
  path: "/user/active",
  policy: ["policy"],
  commands: ["print", "getall", "get", "listen", ...(features.activeRemove ? (["remove"] as const) : [])],
  fields: {
    when: readOnly,
    name: readOnly,
    address: readOnly,
    via: readOnly,
    ...(features.version7 ? { group: readOnly } : {}),
    radius: readOnly,
    "by-romon": readOnly,
  },
  liveRows: (router) => router.sessions.all.map((session) => router.sessions.item(session)),
  removeLive(router, item) {
    const session = router.sessions.byId(item.id);
    if (!session) throw refusals.noItem();
    session.end();
  },
  own: features.requestLogout ? { "request-logout": requestLogout } : {},
});

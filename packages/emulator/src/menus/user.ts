import { refusals } from "../refusal.ts";
import { boolean, duration, oneOf, prefix, text, type ValueType } from "../values.ts";
import type { Change, MenuFor, MenuHost } from "./menu.ts";

/** Letters, digits and `_ . # - @`; ends with a letter or digit, doesn't start with `.` or `-`. Source: manual, "User". */
const userName: ValueType = {
  read(value, argument) {
    if (!/^(?![.-])[\w.#@-]*[A-Za-z0-9]$/.test(value)) throw refusals.invalidValue(argument);
    return value;
  },
};

const isFull = (router: MenuHost, group: string | undefined): boolean => {
  const found = router.table("/user/group").items.find(({ values }) => values.name === group);
  return found !== undefined && !found.values.policy?.includes("!");
};

function isLastFullUser(router: MenuHost, change: Change): boolean {
  const full = router.table("/user").items.filter(({ values }) => isFull(router, values.group));
  return full.length === 1 && full[0] === change.item;
}

/** The rules of `/user/settings`; what RouterOS answers to a password that breaks them is not published. */
function refuseWeakPassword(router: MenuHost, password: string): void {
  const settings = router.table("/user/settings").items[0]?.values ?? {};
  const kinds = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const long = password.length >= Number(settings["minimum-password-length"] ?? 0);
  if (!long || kinds < Number(settings["minimum-categories"] ?? 0)) throw refusals.refused();
}

/** Sessions of a changed user end where the emulator is told so; a new comment is no change of the user. */
function endSessions(router: MenuHost, change: Change): void {
  if (router.openSessions === "keep") return;
  const onlyComment =
    change.command === "set" && Object.keys(change.given).every((name) => name === "comment");
  if (onlyComment) return;
  router.sessions.endAll((session) => session.username === change.before.name);
}

export const user: MenuFor = (features) => ({
  path: "/user",
  nameField: "name",
  policy: ["policy"],
  commands: ["print", "getall", "get", "listen", "add", "set", "remove", "enable", "disable", "comment"],
  fields: {
    name: { type: userName, required: true },
    group: { type: text, required: true },
    password: { type: text, writeOnly: true, required: features.passwordRequired, default: "" },
    address: { type: prefix, default: "" },
    ...(features.inactivity
      ? {
          "inactivity-timeout": { type: duration(60, 86_400), default: "10m" },
          "inactivity-policy": { type: oneOf(["none", "logout", "lockscreen"]), default: "none" },
        }
      : {}),
    "last-logged-in": { type: text, readOnly: true },
    expired: { type: boolean, readOnly: true },
    disabled: { type: boolean, default: "false" },
    comment: { type: text, clearable: true },
  },
  unique: { fields: ["name"], refusal: "user with the same name already exists" },
  computed(router, item) {
    const last = router.lastLogins.get(item.values.name ?? "");
    return last === undefined ? { expired: "false" } : { expired: "false", "last-logged-in": last };
  },
  check(router, change) {
    if (change.command === "remove") {
      // RouterOS refuses to remove the last user with full rights; its words for it are not published.
      if (isLastFullUser(router, change)) throw refusals.refused();
      return undefined;
    }
    const { group } = change.after;
    const known = router.table("/user/group").items.some(({ values }) => values.name === group);
    if (!known) throw refusals.noMatch("group");
    if (change.given.password !== undefined) refuseWeakPassword(router, change.given.password);
    // Disabling oneself is accepted over REST and changes nothing; taken to be so over the API.
    const self = change.username !== undefined && change.username === change.item?.values.name;
    return self && change.given.disabled === "true" ? "ignore" : undefined;
  },
  applied: endSessions,
});

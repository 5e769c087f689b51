import type { Features } from "../features.ts";
import { refusals } from "../refusal.ts";
import { listOf, oneOf, text } from "../values.ts";
import type { MenuFor } from "./menu.ts";

/** In the order RouterOS prints them. Sources: the enumeration of 7.22.3; the RouterOS 6 AAA page for the rest. */
const POLICIES: readonly { name: string; feature?: keyof Features }[] = [
  { name: "local" },
  { name: "telnet" },
  { name: "ssh" },
  { name: "ftp" },
  { name: "reboot" },
  { name: "read" },
  { name: "write" },
  { name: "policy" },
  { name: "test" },
  { name: "winbox" },
  { name: "password" },
  { name: "web" },
  { name: "sniff" },
  { name: "sensitive" },
  { name: "api" },
  { name: "romon" },
  { name: "rest-api", feature: "restApi" },
  { name: "dude", feature: "dudePolicy" },
  { name: "tikapp", feature: "dudePolicy" },
];

/** What the default groups lack. Source: MikroTik manual, "User", router user groups; `dude` from the RouterOS 6 page. */
const DEFAULT_GROUPS = [
  { id: "*1", name: "read", without: ["ftp", "write", "policy", "dude"] },
  { id: "*2", name: "write", without: ["ftp", "policy", "dude"] },
  { id: "*3", name: "full", without: [] as readonly string[] },
];

const isDefaultGroup = (name: string | undefined) => DEFAULT_GROUPS.some((group) => group.name === name);

export const policyNames = (features: Features): readonly string[] =>
  POLICIES.filter(({ feature }) => feature === undefined || features[feature]).map(({ name }) => name);

/** RouterOS's spelling: what is granted, then what is not with `!`. */
function spell(names: readonly string[], granted: (name: string) => boolean): string {
  const no = names.filter((name) => !granted(name)).map((name) => `!${name}`);
  return [...names.filter(granted), ...no].join(",");
}

/** `set` changes only the policies it lists; `add` starts from none. */
function merge(names: readonly string[], before: string, given: string): string {
  const granted = new Set(before.split(",").filter((word) => !word.startsWith("!")));
  for (const word of given.split(",")) {
    if (word.startsWith("!")) granted.delete(word.slice(1));
    else granted.add(word);
  }
  return spell(names, (name) => granted.has(name));
}

export const userGroup: MenuFor = (features) => {
  const names = policyNames(features);
  return {
    path: "/user/group",
    nameField: "name",
    policy: ["policy"],
    commands: ["print", "getall", "get", "listen", "add", "set", "remove", "comment"],
    fields: {
      name: { type: text },
      policy: { type: listOf(names), default: "" },
      skin: { type: oneOf(["default"]), default: "default" },
      comment: { type: text, clearable: true },
    },
    unique: { fields: ["name"], refusal: "already have such name" },
    factory: DEFAULT_GROUPS.map(({ id, name, without }) => ({
      id,
      values: { name, policy: spell(names, (policy) => !without.includes(policy)), skin: "default" },
    })),
    check(router, change) {
      if (change.command === "remove") {
        const used = router.table("/user").items.some(({ values }) => values.group === change.after.name);
        // The text for either isn't published; RouterOS refuses the first, we refuse both.
        if (isDefaultGroup(change.after.name) || used) throw refusals.refused();
        return undefined;
      }
      if (!change.after.name) throw refusals.failure("invalid group name");
      const before = change.item?.values.policy ?? "";
      change.after.policy = merge(names, before, change.given.policy ?? "");
      return undefined;
    },
    applied(router, change) {
      if (router.openSessions === "keep" || change.given.policy === undefined) return;
      router.sessions.endAll((session) => session.group === change.before.name);
    },
  };
};

import { type Policy, requirePolicies } from "../caller.ts";
import { refusals } from "../refusal.ts";
import { formatId, type Item, rowOf } from "../table.ts";
import { boolean, listOf, text } from "../values.ts";
import type { Change, MenuFor, MenuHost, OwnCommand } from "./menu.ts";
import { policyNames } from "./user-group.ts";

/** In the order RouterOS prints them; every one a script may have. */
const SCRIPT_POLICIES = [
  "ftp",
  "reboot",
  "read",
  "write",
  "policy",
  "test",
  "password",
  "sniff",
  "sensitive",
  "romon",
];

/** Rights a row runs with: those named, which nobody may name without holding them; all of the creator's without. */
export function resolvePolicy({ command, before, after, given, policies }: Change): void {
  const held = (name: string) => policies.has(name);
  if (command === "add" && given.policy === undefined) {
    after.policy = SCRIPT_POLICIES.filter(held).join(",");
  }
  const named = `${before.policy ?? ""},${after.policy ?? ""}`.split(",").filter((name) => name !== "");
  if (!named.every(held)) throw refusals.notPermitted();
}

export const policiesOf = (item: Item): ReadonlySet<string> =>
  new Set((item.values.policy ?? "").split(",").filter((name) => name !== ""));

/** By id, name, or place in the list. */
function findScript(router: MenuHost, number: string): Item | undefined {
  const { items } = router.table("/system/script");
  const found = items.find(({ id, values }) => id === number || values.name === number);
  return found ?? (/^\d+$/.test(number) ? items[Number(number)] : undefined);
}

const run: OwnCommand = {
  arguments: ["number"],
  unnamed: ["number"],
  policy: ["read"],
  slow: true,
  async run(router, given, _items, { caller, console, signal }) {
    if (given.number === undefined) throw refusals.missing("number");
    const item = findScript(router, given.number);
    if (!item) throw refusals.noItem();
    const policies = policiesOf(item);
    if (item.values["dont-require-permissions"] !== "true") {
      requirePolicies(caller, [...policies] as Policy[]);
    }
    const output = await router.jobs.runItem(item, { username: caller.username, policies }, signal);
    if (console) return output === "" ? undefined : { text: output };
    return output === "" ? undefined : { ret: output.replace(/\n$/, "") };
  },
};

export const script: MenuFor = (features) => ({
  path: "/system/script",
  nameField: "name",
  commands: ["print", "getall", "get", "listen", "add", "set", "remove", "comment"],
  fields: {
    name: { type: text },
    owner: { type: text },
    // Scripts of RouterOS 6 name those of logins too; the enumeration of 7.22.3 hasn't them.
    policy: { type: listOf(features.version7 ? SCRIPT_POLICIES : policyNames(features)) },
    "dont-require-permissions": { type: boolean, default: "false" },
    "last-started": { type: text, readOnly: true },
    "run-count": { type: text, readOnly: true },
    invalid: { type: boolean, readOnly: true },
    source: { type: text, default: "" },
    comment: { type: text, clearable: true },
  },
  unique: { fields: ["name"], refusal: "already have such name" },
  computed(router, item): Record<string, string> {
    const { count, started } = router.jobs.runsOf(item);
    return {
      "run-count": String(count),
      invalid: String(!router.jobs.isValid(item.values.source ?? "")),
      ...(started === undefined ? {} : { "last-started": started }),
    };
  },
  check(router, change) {
    if (change.command === "remove") return undefined;
    resolvePolicy(change);
    change.after.owner ??= change.username ?? "admin";
    change.after.name ??= freeName(router);
    return undefined;
  },
  own: { run },
});

/** A nameless script gets a name. */
function freeName(router: MenuHost): string {
  const names = new Set(router.table("/system/script").items.map(({ values }) => values.name));
  let number = 1;
  while (names.has(`script${number}`)) number += 1;
  return `script${number}`;
}

/** Global variables have rows while they exist; their ids come from their place. */
const variableItems = (router: MenuHost): readonly Item[] =>
  router.globals.texts.map(([name, value], at) => ({
    id: formatId(at + 1),
    values: rowOf({ name, value }),
    dynamic: false,
  }));

export const scriptEnvironment: MenuFor = () => ({
  path: "/system/script/environment",
  nameField: "name",
  volatile: true,
  commands: ["print", "getall", "get", "remove"],
  fields: { name: { type: text, readOnly: true }, value: { type: text, readOnly: true } },
  liveRows: variableItems,
  removeLive: (router, item) => router.globals.remove(item.values.name ?? ""),
});

export const scriptJob: MenuFor = () => ({
  path: "/system/script/job",
  volatile: true,
  commands: ["print", "getall", "get", "remove"],
  fields: Object.fromEntries(
    ["script", "owner", "policy", "started", "type"].map((name) => [name, { type: text, readOnly: true }]),
  ),
  liveRows: (router) => router.jobs.items,
  removeLive: (router, item) => router.jobs.stop(item.id),
});

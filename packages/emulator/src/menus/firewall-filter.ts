import { refusals } from "../refusal.ts";
import { boolean, matcher, text, type ValueType } from "../values.ts";
import type { Field, Menu, OwnCommand } from "./menu.ts";

/** "22", "8728-8729" or a comma list of both. */
const ports: ValueType = matching(/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/);
/** "192.0.2.1", "192.0.2.0/24" or "192.0.2.1-192.0.2.9", kept as written. */
const addresses: ValueType = matching(/^\d+\.\d+\.\d+\.\d+(\/\d{1,2}|-\d+\.\d+\.\d+\.\d+)?$/);
/** "2001:db8::/32" or a single address, kept as written. */
const addresses6: ValueType = matching(/^[\da-fA-F:.]*:[\da-fA-F:.]*(\/\d{1,3})?$/);

function matching(form: RegExp): ValueType {
  return {
    read(value, argument) {
      if (!form.test(value)) throw refusals.invalidValue(argument);
      return value;
    },
  };
}

/** Properties of every rule that are no matchers. */
const OF_RULES: Readonly<Record<string, Field>> = {
  log: { type: boolean, default: "false" },
  "log-prefix": { type: text, default: "" },
  bytes: { type: text, readOnly: true },
  packets: { type: text, readOnly: true },
  invalid: { type: boolean, readOnly: true },
  dynamic: { type: boolean, readOnly: true },
  disabled: { type: boolean, default: "false" },
  comment: { type: text, clearable: true },
};

/**
 * What a rule of this version takes: the arguments and words of the published schema, each perhaps with `!`; matchers
 * whose grammar isn't published are kept as text.
 */
function fieldsOf(published: Menu, address: ValueType): Readonly<Record<string, Field>> {
  const known: Readonly<Record<string, ValueType>> = {
    "src-address": address,
    "dst-address": address,
    port: ports,
    "src-port": ports,
    "dst-port": ports,
  };
  const { action } = published.fields;
  const arguments_ = Object.entries(published.fields).filter(([, field]) => !field.readOnly);
  return {
    chain: { type: text, required: true },
    action: { type: action?.type ?? text, default: "accept" },
    ...Object.fromEntries(
      arguments_
        .filter(([name]) => !["chain", "action"].includes(name) && !Object.hasOwn(OF_RULES, name))
        .map(([name, { type }]) => [name, { type: matcher(known[name] ?? type), clearable: true }]),
    ),
    ...OF_RULES,
  };
}

const resetCounters: OwnCommand = {
  arguments: [],
  targets: true,
  policy: ["write"],
  run: (router, _given, items) => router.firewall.resetCounters(items),
};

const resetAllCounters = (path: string): OwnCommand => ({
  arguments: [],
  policy: ["write"],
  run: (router) => router.firewall.resetCounters(router.table(path).items),
});

const filter = (published: Menu, address: ValueType): Menu => ({
  path: published.path,
  ordered: true,
  commands: published.commands,
  fields: fieldsOf(published, address),
  computed(router, item) {
    const { packets, bytes } = router.firewall.counters(item);
    return { bytes: String(bytes), packets: String(packets), invalid: "false", dynamic: "false" };
  },
  own: {
    ...published.own,
    "reset-counters": resetCounters,
    "reset-counters-all": resetAllCounters(published.path),
  },
});

/** Rules of the `input` chain decide who connects to a service; those of other chains are rows alone. */
export const firewallFilters: Readonly<Record<string, (published: Menu) => Menu>> = {
  "/ip/firewall/filter": (published) => filter(published, addresses),
  "/ipv6/firewall/filter": (published) => filter(published, addresses6),
};

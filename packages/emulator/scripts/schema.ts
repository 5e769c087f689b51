/**
 * Makes the files of `src/schema` from extracts of public RouterOS schemas:
 *
 *     node scripts/schema.ts <directory of extracts>
 *
 * The directory holds `<version>.json` (menus of tikoci/restraml `docs/<version>/inspect.json` or
 * `deep-inspect.json`: per command `args`, `desc`, `enum`, `properties`), `<version>-community-routeros.json`
 * (fields of ansible-collections/community.routeros `_api_data.py`), `feature-versions.json` (restraml, 48
 * versions) and `required-args.json` (tikoci/lsp-routeros-ts). Each names its repository and commit in `_meta`,
 * which is kept. What the emulator has no use for is left out: help texts, console options, export and find.
 *
 * Written by hand in the resulting form, from the sources they name: `more-*.json`, `manual-*.json`, and what
 * `_meta.also` of the fields' files lists.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

type Json = Record<string, unknown>;
interface Command {
  args: string[];
  desc?: Record<string, string>;
  enum?: Record<string, string[]>;
  properties?: string[];
}

/** Commands of the console and of every menu alike. */
const LEFT_OUT = ["export", "find", "edit", "print", "get", "recursive-print"];
const GENERIC = ["add", "set", "unset", "remove", "move", "enable", "disable", "comment"];

/**
 * Arguments whose completions are no closed set: they name objects the dumped router happened to have, abbreviate
 * a grammar, or stand beside numbers and addresses. `menu:argument` where another menu's is closed.
 */
const OPEN = new Set(
  (
    "address-list-timeout allowed-interface-list auth-key certificate chain ciphers connection-mark ddns-enabled " +
    "ddns-update-interval default-group default-profile discover-interface-list dst exclude exclude-groups gateway " +
    "group host in-bridge-port in-bridge-port-list in-interface in-interface-list include incoming-filter " +
    "insert-queue-before interface interface-list ipsec-policy ipv4-options jump-target keepalive-timeout list " +
    "lldp-med-net-policy-vlan mdns-repeat-ifaces mtu next-ca-cert out-bridge-port out-bridge-port-list " +
    "out-interface out-interface-list outgoing-filter packet-mark packet-marks parent parent-queue " +
    "per-connection-classifier preshared-key private-key profile publickey-authentication-options queue queue-type " +
    "routing-mark routing-table start-time subject-alt-name time-zone-name topics total-queue trap-community " +
    "trap-interfaces ttl user user-auth-method vrf vrf-interface /queue/simple:target /system/logging:action"
  ).split(" "),
);

/** Closed sets of which several may be given, separated by commas. */
const LISTS = new Set(
  "policy trap-generators src-address-type dst-address-type connection-state connection-nat-state tcp-flags key-usage".split(
    " ",
  ),
);

function typeOf(menu: string, name: string, desc = "", values: string[] = []): unknown {
  if (values.join() === "no,yes") return "boolean";
  const list = /^([\w|-]+)\[,\w+\*\]$/.exec(desc);
  if (list?.[1]) return { listOf: [...new Set([...list[1].split("|"), ...values])] };
  if (desc.includes("time interval")) return "interval";
  const open = OPEN.has(name) || OPEN.has(`${menu}:${name}`) || values.length < 2 || values.includes("...");
  if (open) return undefined;
  return LISTS.has(name) ? { listOf: values } : { oneOf: values };
}

function compact(path: string, commands: Record<string, Command>): Json {
  const { add, set, move, get } = commands;
  const own = Object.entries(commands).filter(([name]) => ![...LEFT_OUT, ...GENERIC].includes(name));
  const types: Json = {};
  for (const command of [add, set]) {
    for (const name of command?.args ?? []) {
      const type = typeOf(path, name, command?.desc?.[name], command?.enum?.[name]);
      if (type !== undefined) types[name] = type;
    }
  }
  const isArgument = (name: string) => !["numbers", "copy-from", "place-before"].includes(name);
  const rows = commands.print?.args.includes("count-only") ?? false;
  return {
    rows,
    print: commands.print !== undefined,
    ...(rows && !commands.print?.args.includes("follow-only") ? { listen: false } : {}),
    ...(move ? { ordered: true } : {}),
    commands: GENERIC.filter((name) => commands[name]),
    ...(add ? { add: add.args.filter(isArgument) } : {}),
    ...(set ? { set: set.args.filter(isArgument) } : {}),
    ...(get?.properties ? { properties: get.properties.filter((name) => name !== "about") } : {}),
    ...(Object.keys(types).length > 0 ? { types } : {}),
    ...(own.length > 0 ? { own: Object.fromEntries(own.map(([name, { args }]) => [name, args])) } : {}),
  };
}

const entriesOf = (file: Json) => Object.entries(file).filter(([name]) => name !== "_meta");

/** One line per menu: small, and a change of one menu is a change of one line. */
function lines(file: Json): string {
  const body = Object.entries(file).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{\n${body.join(",\n")}\n}\n`;
}

function convert(name: string, file: Json): [string, Json] {
  if (name === "feature-versions.json") return ["features.json", file];
  if (name === "required-args.json") return ["required.json", file];
  const community = /^(.*)-community-routeros\.json$/.exec(name);
  if (community) return [`fields-${community[1]}.json`, file];
  const menus = entriesOf(file).map(([path, commands]) => [
    path,
    compact(path, commands as Record<string, Command>),
  ]);
  return [name, { _meta: file._meta, ...Object.fromEntries(menus) }];
}

const directory = process.argv[2];
if (directory === undefined) throw new Error("usage: node scripts/schema.ts <directory of extracts>");
for (const name of readdirSync(directory).filter((name) => name.endsWith(".json"))) {
  const file = JSON.parse(readFileSync(`${directory}/${name}`, "utf8")) as Json;
  const [target, content] = convert(name, file);
  writeFileSync(new URL(`../src/schema/${target}`, import.meta.url), lines(content));
}

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Refusal } from "../refusal.ts";
import type { Arguments } from "./ast.ts";
import { convert, toCrlf, toLf } from "./convert.ts";
import type { Scope } from "./environment.ts";
import { ScriptError, scriptErrors } from "./errors.ts";
import type { ScriptHost } from "./host.ts";
import { matches } from "./regular-expression.ts";
import type { Run } from "./run.ts";
import { bytesOf, textOf } from "./text.ts";
import { list, NIL, NOTHING, num, readWord, render, str, type Value } from "./values.ts";

/** What a command was given, worked out. */
type Given = ReadonlyMap<string, Value>;
type Utility = (run: Run, given: Given) => Promise<Value> | Value;

const textIn = (given: Given, name: string): string => render(given.get(name) ?? NOTHING);

function wholeNumber(given: Given, name: string, usual?: bigint): bigint {
  const value = given.get(name);
  if (value === undefined && usual !== undefined) return usual;
  const read = value?.type === "str" ? readWord(value.value) : value;
  if (read?.type !== "num") throw scriptErrors.argument(name);
  return read.value;
}

/** A number below `bound`, each as likely: what is too large to be shared out evenly is drawn again. */
function below(router: ScriptHost, bound: bigint): bigint {
  const fair = (2n ** 64n / bound) * bound;
  for (;;) {
    const drawn = Buffer.from(router.randomBytes(8)).readBigUInt64BE(0);
    if (drawn < fair) return drawn % bound;
  }
}

const rndnum: Utility = ({ router }, given) => {
  const [from, to] = [wholeNumber(given, "from"), wholeNumber(given, "to")];
  if (to < from) throw scriptErrors.argument("to");
  return num(from + below(router, to - from + 1n));
};

const ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/** Longer random strings and ranges are refused. */
const MAX_LENGTH = 65_536n;

const rndstr: Utility = ({ router }, given) => {
  const from = textIn(given, "from") || ALPHANUMERIC;
  const length = wholeNumber(given, "length", 16n);
  if (length < 0n || length > MAX_LENGTH) throw scriptErrors.argument("length");
  const one = () => from[Number(below(router, BigInt(from.length)))];
  return str(Array.from({ length: Number(length) }, one).join(""));
};

/** Both ends belong to it. */
const range: Utility = (_run, given) => {
  const [from, to] = [wholeNumber(given, "from"), wholeNumber(given, "to")];
  if (to < from || to - from >= MAX_LENGTH) throw scriptErrors.argument("to");
  return list(Array.from({ length: Number(to - from) + 1 }, (_, at) => num(from + BigInt(at))));
};

/** Lines of what a script prints that match, with those around them. */
const grep: Utility = async (run, given) => {
  const source = textOf(textIn(given, "script"));
  const output = await run.router.jobs
    .run(source, run.caller, run.signal ? { signal: run.signal } : {})
    .catch(refused);
  const lines = bytesOf(output).replace(/\n$/, "").split("\n");
  const pattern = textIn(given, "pattern");
  const [before, after] = [wholeNumber(given, "before", 0n), wholeNumber(given, "after", 0n)].map(Number) as [
    number,
    number,
  ];
  const hits = lines.flatMap((line, at) => (matches(line, pattern) ? [at] : []));
  const shown = lines.filter((_, at) => hits.some((hit) => at >= hit - before && at <= hit + after));
  const file = given.get("filename");
  if (file) run.router.files.write(textOf(render(file)), textOf(shown.map((line) => `${line}\n`).join("")));
  else for (const line of shown) run.print(line);
  return NOTHING;
};

function refused(error: unknown): never {
  if (error instanceof Refusal) throw new ScriptError(error.message);
  throw error;
}

const FAMILIES: Readonly<Record<string, readonly (4 | 6)[]>> = {
  any: [4, 6],
  any6: [6, 4],
  ipv4: [4],
  ipv6: [6],
};

/** Rows of `/ip/dns/static` first, then the names of the machine. */
const resolve: Utility = async ({ router }, given) => {
  const name = textIn(given, "domain-name");
  if (given.has("server")) throw new ScriptError("failure: the emulator does not do :resolve server=");
  if (isIP(name) !== 0) return readWord(name);
  const families = FAMILIES[textIn(given, "type") || "any"];
  if (!families) throw scriptErrors.argument("type");
  for (const family of families) {
    const address = staticAddress(router, name, family) ?? (await lookedUp(name, family));
    if (address !== undefined) return readWord(address);
  }
  throw new ScriptError("failure: dns name does not exist");
};

function staticAddress(router: ScriptHost, name: string, family: 4 | 6): string | undefined {
  const rows = router.table("/ip/dns/static").items.map(({ values }) => values);
  const row = rows.find(
    ({ name: own, address = "", disabled }) =>
      own === name && disabled !== "true" && isIP(address) === family,
  );
  return row?.address;
}

const lookedUp = async (name: string, family: 4 | 6): Promise<string | undefined> =>
  lookup(name, { family }).then(
    ({ address }) => address,
    () => undefined,
  );

const NANOSECONDS = 1_000_000n;

/** "10:00" is ten hours, as RouterOS reads times. */
const tonsec: Utility = (_run, given) => {
  const value = given.get("value") ?? NOTHING;
  const text = render(value);
  const read =
    value.type === "str" ? readWord(/^\d+:\d{2}$/.test(text) ? `${text.padStart(5, "0")}:00` : text) : value;
  return read.type === "time" ? num(BigInt(Math.round(read.value)) * NANOSECONDS) : NIL;
};

/** Commands that need the router, or do no more than work out a value. Source: manual, "Scripting", global commands. */
const UTILITIES: Readonly<Record<string, Utility>> = {
  rndnum,
  rndstr,
  range,
  grep,
  resolve,
  tonsec,
  // A board without a speaker.
  beep: () => NOTHING,
  convert: (_run, given) =>
    convert(
      given.get("value") ?? NOTHING,
      textIn(given, "from"),
      textIn(given, "to"),
      textIn(given, "transform"),
    ),
  jobname: (run) => str(bytesOf(run.name)),
  timestamp: ({ router }) => ({ type: "time", value: router.clock.now() }),
  tocrlf: (_run, given) => str(toCrlf(textIn(given, "value"))),
  tolf: (_run, given) => str(toLf(textIn(given, "value"))),
};

/** Run one of them; undefined for any other command. */
export function utility(
  name: string,
): ((run: Run, given: Arguments, scope: Scope) => Promise<Value>) | undefined {
  const found = Object.hasOwn(UTILITIES, name) ? UTILITIES[name] : undefined;
  if (!found) return undefined;
  return async (run, given, scope) => {
    const values = new Map<string, Value>();
    for (const [argument, expression] of given) values.set(argument, await run.value(expression, scope));
    return run.bounded(await found(run, values));
  };
}

import type { Features } from "../features.ts";

/**
 * How an argument is read.
 * `value`: a script value, a bare word for what it looks like. `text`: an argument of a menu, a bare word as it is.
 * `source`: `{ … }` is its own text. `code`: `{ … }` alone. `name`: a variable's name. `place`: the same, or
 * `($array->"key")`.
 */
export type ParameterKind = "value" | "text" | "source" | "code" | "name" | "place";

export interface Parameter {
  readonly name: string;
  readonly kind: ParameterKind;
}

/** What may stand behind a command. */
export interface Signature {
  /** Taken by place, in this order, or by name. */
  readonly unnamed: readonly Parameter[];
  readonly named: readonly Parameter[];
  /** On by being named. */
  readonly flags: readonly string[];
  /** Properties that `where`, `find` and `print` may test; undefined where there is no condition. */
  readonly properties?: readonly string[] | undefined;
  /** `find a=b` is a condition without the word `where`. */
  readonly bareCondition?: boolean;
  /** Properties that `!name` takes away. */
  readonly unset?: readonly string[];
}

export interface BuiltinSignature extends Signature {
  /** The command fails without them. */
  readonly required: readonly string[];
  readonly since?: keyof Features;
}

const parameters = (spec: string): Parameter[] =>
  spec.split(" ").flatMap((word) => {
    const [name = "", kind = "value"] = word.split(":");
    return name === "" ? [] : [{ name: name.replace("!", ""), kind: kind as ParameterKind }];
  });

/** @param unnamed, named "name:kind name!": kind value unless given; `!` for required */
function builtin(
  unnamed: string,
  named = "",
  rest: { flags?: readonly string[]; since?: keyof Features } = {},
): BuiltinSignature {
  const required = `${unnamed} ${named}`.split(" ").filter((word) => word.includes("!"));
  return {
    unnamed: parameters(unnamed),
    named: parameters(named),
    required: required.map((word) => word.replace(/[!:].*/, "")),
    flags: rest.flags ?? [],
    ...(rest.since ? { since: rest.since } : {}),
  };
}

/** Source: MikroTik manual, "Scripting", global commands, loops and conditional statements; versions: schema dumps, and
 * for `convert` its announcement. `break` and `continue` are none of RouterOS's commands.
 */
export const BUILTINS: Readonly<Record<string, BuiltinSignature>> = {
  local: builtin("name!:name value", "do:code"),
  global: builtin("name!:name value", "do:code"),
  set: builtin("name!:place value", "do:code"),
  if: builtin("condition!", "do:code else:code"),
  do: builtin("command!:code", "while on-error:code"),
  while: builtin("condition!", "do!:code"),
  for: builtin("counter!:name", "from! to! step do!:code"),
  foreach: builtin("counter!:name", "in! do!:code"),
  put: builtin("message!"),
  error: builtin("message!"),
  return: builtin("value"),
  delay: builtin("delay-time"),
  len: builtin("value!"),
  pick: builtin("value! begin! end"),
  find: builtin("in! key! from"),
  tostr: builtin("value!"),
  tonum: builtin("value!"),
  toarray: builtin("value!"),
  tobool: builtin("value!"),
  toid: builtin("value!"),
  toip: builtin("value!"),
  toip6: builtin("value!"),
  totime: builtin("value!"),
  typeof: builtin("value!"),
  nothing: builtin(""),
  time: builtin("command!:code"),
  parse: builtin("value!"),
  onerror: builtin("error-name!:name in!:code", "do:code", { since: "onerror" }),
  retry: builtin("command!:code", "delay! max! do:code", { since: "version7" }),
  exit: builtin("", "", { since: "scriptExit" }),
  serialize: builtin("value!", "to! options", { since: "onerror" }),
  deserialize: builtin("value!", "from! options", { since: "onerror" }),
  beep: builtin("", "frequency length"),
  resolve: builtin("domain-name!", "server server-port type"),
  rndnum: builtin("", "from! to!", { since: "version7" }),
  rndstr: builtin("", "from length", { since: "version7" }),
  timestamp: builtin("", "", { flags: ["use-tz"], since: "version7" }),
  convert: builtin("value!:text", "from to transform", { since: "scriptConvert" }),
  // When these came isn't published; the manual of 7.24 has them.
  grep: builtin("", "script! pattern! after before filename", { since: "scriptUtilities" }),
  jobname: builtin("", "", { since: "scriptUtilities" }),
  range: builtin("from! to!", "", { since: "scriptUtilities" }),
  tocrlf: builtin("value!", "", { since: "scriptUtilities" }),
  tolf: builtin("value!", "", { since: "scriptUtilities" }),
  tonsec: builtin("value!", "", { since: "scriptUtilities" }),
};

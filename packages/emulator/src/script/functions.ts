import { scriptErrors } from "./errors.ts";
import { deserialize, serialize } from "./json.ts";
import { equal } from "./operators.ts";
import {
  array,
  bool,
  id,
  list,
  NIL,
  NOTHING,
  num,
  readTime,
  readWord,
  render,
  str,
  type Value,
} from "./values.ts";

type Given = ReadonlyMap<string, Value>;

const of = (given: Given, name: string): Value => given.get(name) ?? NOTHING;

function index(given: Given, name: string): number | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  const read = value.type === "str" ? readWord(value.value) : value;
  if (read.type !== "num") throw scriptErrors.argument(name);
  return Number(read.value);
}

function len(given: Given): Value {
  const value = of(given, "value");
  return num(value.type === "array" ? value.items.length : render(value).length);
}

/** One element or byte without `end`, all before `end` with it. */
function pick(given: Given): Value {
  const value = of(given, "value");
  const begin = Math.max(index(given, "begin") ?? 0, 0);
  const end = index(given, "end");
  if (value.type === "array") {
    if (end === undefined) return value.items[begin]?.value ?? NIL;
    return array(value.items.slice(begin, Math.max(end, begin)));
  }
  const text = render(value);
  if (begin >= text.length) return NIL;
  return str(text.slice(begin, end === undefined ? begin + 1 : Math.max(end, begin)));
}

/** Position of `key` behind `from`, which is -1 unless given; nil where there is none. */
function find(given: Given): Value {
  const value = of(given, "in");
  const key = of(given, "key");
  const from = (index(given, "from") ?? -1) + 1;
  const at =
    value.type === "array"
      ? value.items.findIndex((item, position) => position >= from && equal(item.value, key))
      : render(value).indexOf(render(key), from);
  return at < 0 ? NIL : num(at);
}

/** What `readWord` makes of a value's text, where it is of the type asked for; nil otherwise. */
const converted =
  (...types: readonly Value["type"][]) =>
  (given: Given): Value => {
    const value = of(given, "value");
    const read = value.type === "str" ? readWord(value.value) : value;
    return types.includes(read.type) ? read : NIL;
  };

function toArray(given: Given): Value {
  const value = of(given, "value");
  if (value.type === "array") return value;
  const text = render(value);
  return list(text === "" ? [] : text.split(",").map(str));
}

function toBool(given: Given): Value {
  const text = render(of(given, "value"));
  if (text === "yes" || text === "no") return bool(text === "yes");
  const value = converted("bool", "num")(given);
  return value.type === "num" ? bool(value.value !== 0n) : value;
}

function toTime(given: Given): Value {
  const value = converted("time", "num")(given);
  if (value.type === "num") return { type: "time", value: Number(value.value) * 1000 };
  if (value.type === "time") return value;
  const ms = readTime(render(of(given, "value")));
  return ms === undefined ? NIL : { type: "time", value: ms };
}

function toId(given: Given): Value {
  const text = render(of(given, "value"));
  return /^\*[0-9A-Fa-f]+$/.test(text) ? id(text.toUpperCase()) : NIL;
}

/** Global commands that are functions of their arguments. */
export const FUNCTIONS: Readonly<Record<string, (given: Given) => Value>> = {
  len,
  pick,
  find,
  tostr: (given) => str(render(of(given, "value"))),
  tonum: converted("num"),
  toarray: toArray,
  tobool: toBool,
  toid: toId,
  toip: converted("ip"),
  toip6: converted("ip6"),
  totime: toTime,
  typeof: (given) => str(of(given, "value").type),
  nothing: () => NOTHING,
  serialize: (given) => serialize(of(given, "value"), render(of(given, "to")), render(of(given, "options"))),
  deserialize: (given) =>
    deserialize(of(given, "value"), render(of(given, "from")), render(of(given, "options"))),
};

import type { Menu } from "../menus/menu.ts";
import { boolean, text } from "../values.ts";
import { bytesOf } from "./text.ts";
import { bool, id, list, readWord, str, type Value } from "./values.ts";

/** What a property of a row is inside a script: texts stay texts, everything else is what it looks like. */
export function propertyValue(menu: Menu, name: string, value: string): Value {
  if (name === ".id") return id(value);
  const type = menu.fields[name]?.type;
  if (type === boolean) return bool(value === "true");
  const bytes = bytesOf(value);
  // What the router works out itself has no type of its own here: a flag, a number or a time shows what it is.
  if (type === text) return menu.fields[name]?.readOnly ? readWord(bytes) : str(bytes);
  if (value.includes(",")) return list(bytes.split(",").map(readWord));
  return readWord(bytes);
}

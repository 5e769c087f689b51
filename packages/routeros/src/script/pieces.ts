/**
 * What may stand in a `script` template: each kind writes itself so that RouterOS reads exactly that back.
 *
 * Strings keep letters, digits and ` ._:/@,+-`; every other byte is written as `\XX`. RouterOS 6 and 7 read that
 * alike, and nothing is left that could end the string, expand a variable or, on RouterOS 6, ask for help (`?`).
 * Source: MikroTik manual, "Scripting", section on constant escape sequences.
 */

import { InvalidValueError } from "../errors.ts";
import { formatDuration, formatList, isId } from "../values.ts";

/** Text of RouterOS's script language that stands for one thing. Only the functions of this file make one. */
export class Piece {
  readonly kind: "value" | "name";
  readonly text: string;

  /** @param kind a value stands by itself, a name may be part of a longer word */
  constructor(kind: "value" | "name", text: string) {
    this.kind = kind;
    this.text = text;
  }
}

/** A value of an argument or an expression: text (as UTF-8), bytes, a whole number, or yes and no. */
export type ScriptValue = string | Uint8Array | number | boolean;

/**
 * One value. Text and bytes come as a quoted string, whatever they hold.
 * @throws InvalidValueError text with half a surrogate pair, which has no bytes; a number that is not whole
 */
export function value(of: ScriptValue): Piece {
  return new Piece("value", valueText(of));
}

/** A comma list as one value, as `policy=` and `address=` take it. @throws InvalidValueError as formatList */
export function list(elements: readonly string[]): Piece {
  return value(formatList(elements));
}

/** An array of the script language: `{"a";"b"}`. */
export function array(elements: readonly ScriptValue[]): Piece {
  // `{}` alone is a syntax error.
  if (elements.length === 0) return new Piece("value", '[:toarray ""]');
  return new Piece("value", `{${elements.map(valueText).join(";")}}`);
}

/** A length of time, such as `1h30m`. @throws InvalidValueError as formatDuration */
export function duration(ms: number): Piece {
  return new Piece("value", formatDuration(ms));
}

/** An item's `.id`. @throws InvalidValueError anything else */
export function itemId(id: string): Piece {
  if (!isId(id)) throw refused("id", id);
  return new Piece("value", id);
}

/** Letters, digits and single dashes inside, as all property and command names are. */
const NAME = /^[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*$/;

/** The name of a property, command or variable, such as `max-sessions`. @throws InvalidValueError anything else */
export function identifier(name: string): Piece {
  if (!NAME.test(name)) throw refused("identifier", name);
  return new Piece("name", name);
}

/** A menu by its path, `/ip/firewall/filter`; written with spaces, which RouterOS 6 needs. */
export function menu(path: string): Piece {
  const [root, ...parts] = path.split("/");
  if (root !== "" || parts.length === 0 || !parts.every((part) => NAME.test(part)))
    throw refused("menu", path);
  return new Piece("name", `/${parts.join(" ")}`);
}

function valueText(of: ScriptValue): string {
  if (typeof of === "boolean") return of ? "yes" : "no";
  if (typeof of === "number") {
    if (!Number.isSafeInteger(of)) throw refused("whole number", String(of));
    return String(of);
  }
  if (typeof of === "string" && !of.isWellFormed()) throw refused("text", of);
  return quoted(of);
}

const KEPT = /^[A-Za-z0-9 ._:/@,+-]$/;

/** How each byte is written inside quotes. */
const WRITTEN: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return KEPT.test(character) ? character : `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});

/** The quoted string whose value these bytes are; text counts as its UTF-8 bytes. */
export function quoted(bytes: string | Uint8Array): string {
  let text = "";
  for (const byte of typeof bytes === "string" ? Buffer.from(bytes) : bytes) text += WRITTEN[byte];
  return `"${text}"`;
}

/** What was refused is not shown: it may be a password. */
function refused(what: string, text: string): InvalidValueError {
  return new InvalidValueError(`not a ${what} that a script can hold (${text.length} characters)`, {
    operation: `write ${what}`,
  });
}

import type { Expression } from "./ast.ts";
import type { Source } from "./source.ts";
import { str } from "./values.ts";

/** Source: MikroTik manual, "Scripting", constant escape sequences; `\?` until 7.1rc2. */
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
  $: "$",
  _: " ",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

export const VARIABLE_NAME = /[A-Za-z0-9]+/y;

/** What stands behind a `$`: `name`, `"any name"`, `[…]` or `(…)`. */
export type ReadSubstitution = () => Expression;

/**
 * A string from its opening quote to its closing one. A line joined inside it continues at its first character that
 * is no blank, as exports are wrapped.
 */
export function readString(
  source: Source,
  questionMark: boolean,
  substitution: ReadSubstitution,
): Expression {
  source.expect('"');
  const parts: (string | Expression)[] = [];
  let text = "";
  for (;;) {
    text += source.match(/[^"\\$]+/y) ?? "";
    if (source.take('"')) break;
    if (source.atEnd) throw source.error();
    if (source.next === "\\") text += readEscape(source, questionMark);
    else {
      parts.push(text, substitution());
      text = "";
    }
  }
  if (parts.length === 0) return { kind: "literal", value: str(text) };
  return { kind: "text", parts: [...parts, text].filter((part) => part !== "") };
}

function readEscape(source: Source, questionMark: boolean): string {
  const from = source.at;
  source.at += 1;
  if (source.match(/\n[ \t]*/y) !== undefined) return "";
  const hex = source.match(/[0-9A-F]{2}/y);
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  const character = source.next;
  if (character === "?" && questionMark) {
    source.at += 1;
    return "?";
  }
  const escaped = ESCAPES[character];
  if (escaped === undefined) throw source.error("syntax error", source.atEnd ? source.at : from);
  source.at += 1;
  return escaped;
}

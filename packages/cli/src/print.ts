/** Text for people: tables and aligned facts, in colour on a terminal only. */
import { styleText } from "node:util";
import Table from "cli-table3";

export type Cell = string | number | boolean | null | undefined;

/** No lines, two spaces between columns: easy on the eye, and on grep and awk. */
const PLAIN = Object.fromEntries(
  "top,top-mid,top-left,top-right,bottom,bottom-mid,bottom-left,bottom-right,left,left-mid,mid,mid-mid,right,right-mid,middle"
    .split(",")
    .map((name) => [name, ""]),
);

/**
 * A table with a heading; `-` stands for nothing.
 * @param paint colours a cell's text, which is fit for a terminal by then
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: (text: string) => string = (text) => text,
): string {
  const lines = new Table({
    chars: PLAIN,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  lines.push(head.map((title) => styleText("bold", title.toUpperCase())));
  for (const row of rows) lines.push(row.map((cell) => paint(show(cell))));
  return trimLines(lines.toString());
}

/** One fact per line, names aligned. */
export function facts(entries: Readonly<Record<string, Cell>>): string {
  const width = Math.max(...Object.keys(entries).map((name) => name.length));
  return Object.entries(entries)
    .map(([name, value]) => `${styleText("bold", name.padEnd(width))}  ${show(value)}`)
    .join("\n");
}

function show(value: Cell): string {
  if (value === null || value === undefined || value === "") return "-";
  return printable(typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
}

/**
 * Names and messages come from routers: what a terminal would obey (escape sequences, line breaks, direction marks)
 * is shown as its code instead.
 * Not the server's escaper (`kernel/untrusted.ts`): the client imports nothing of the server, and a terminal is the
 * last place a text is shown. It is not cut here, and its codes are those of a shell, not RouterOS's.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

function trimLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

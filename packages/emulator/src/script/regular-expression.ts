import { createContext, Script } from "node:vm";
import { ScriptError } from "./errors.ts";

/** A pattern of a script may be written to take for ever; it gets this long, milliseconds. */
const PATIENCE_MS = 250;

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "A-Za-z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9A-Fa-f",
};

const test = new Script("new RegExp(pattern, 's').test(text)");
let room: ReturnType<typeof createContext> | undefined;

/** POSIX extended to JavaScript: bracket expressions differ, and `\d` and its like are plain letters. */
function translate(posix: string): string {
  return posix
    .replace(/\[(\^?)(\]?(?:\[:\w+:\]|[^\]])*)\]/g, (_all, not: string, inside: string) => {
      const body = inside
        .replace(/\\/g, "\\\\")
        .replace(/^\]/, "\\]")
        .replace(/\[:(\w+):\]/g, (_class, name: string) => CLASSES[name] ?? "")
        .replace(/\[/g, "\\[");
      return `[${not}${body}]`;
    })
    .replace(/\(\?/g, "(\\?");
}

/** Does a POSIX extended regular expression match somewhere in the text? */
export function matches(text: string, pattern: string): boolean {
  room ??= createContext({});
  Object.assign(room, { pattern: translate(pattern), text });
  try {
    return test.runInContext(room, { timeout: PATIENCE_MS }) === true;
  } catch {
    throw new ScriptError("bad regexp");
  }
}

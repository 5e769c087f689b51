/** Anything as what a script is written from. */

import { InvalidCommandError, InvalidValueError } from "../../errors.ts";
import { identifier, itemId, list, menu, type Script, value, script as write } from "../../script/index.ts";
import { readScript, readString } from "../script-reader.ts";
import type { Target } from "./target.ts";

/** What ends strings, expands or begins something else in the script language. */
const HOSTILE = [
  '"; /user add name=evil group=full password="',
  "$[/system reboot]",
  '\\"\\5C$name',
  "a\nb\r\nc # {}();",
  "[find]",
  "*1F",
  "/ip/firewall/filter",
  "max-sessions",
  "é€\u{10ffff}\ufeff",
  "\0\x7f\x1b[31m?",
];

/**
 * Held: bytes are read back as they were, as the value of their one argument, in a script in a script, too; what passes
 * for a name, a menu or an id is one word; everything else is refused.
 */
export const script: Target = {
  seeds: HOSTILE.map((text) => Buffer.from(text)),
  check(bytes, random) {
    const read = readString(value(bytes).text);
    if (!read.bytes.equals(bytes)) throw new Error("a value is read back as another");
    const at = random(bytes.length + 1);
    checkCommand(bytes.subarray(0, at), bytes.subarray(at));
    const text = bytes.toString("latin1");
    const written = [
      refusable(() => write`set ${identifier(text)}=${value("x")}`),
      refusable(() => write`${menu(text)} print`),
      refusable(() => write`set ${itemId(text)}`),
    ].filter((one) => one !== undefined);
    for (const one of written) checkOneCommand(one);
    checkList(text.split(","));
    refusable(() => write(Object.assign([text], { raw: [text] })));
    return written.length > 0 ? "script name" : "script value";
  },
};

function checkCommand(name: Buffer, comment: Buffer): void {
  const inner = write`/user add name=${value(name)} comment=${value(comment)}`;
  const outer = write`/system scheduler add name=${value("undo")} on-event=${inner}`;
  const source = only(outer)?.values["on-event"]?.toString("latin1") ?? "";
  if (source !== inner.text) throw new Error("a script in a script is read back as another");
  const { name: first, comment: second, ...others } = only(inner)?.values ?? {};
  const isSame = first?.equals(name) && second?.equals(comment);
  if (!isSame || Object.keys(others).length > 0) throw new Error("a value left its argument");
}

function checkOneCommand(one: Script): void {
  if (!only(one)) throw new Error("a name is more than a name");
}

function only({ text }: Script) {
  const commands = readScript(text);
  return commands.length === 1 ? commands[0] : undefined;
}

function checkList(elements: readonly string[]): void {
  const written = refusable(() => list(elements));
  if (written && readString(written.text).bytes.toString() !== elements.join(",")) {
    throw new Error("a list is read back as another");
  }
}

function refusable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof InvalidValueError || error instanceof InvalidCommandError) return undefined;
    throw error;
  }
}

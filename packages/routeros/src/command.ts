/**
 * What we send: building the words of a command, refusing malformed ones before a byte leaves, and showing a
 * command in an error without what may be secret.
 *
 * The API has no quoting: a word carries its length, so a value may hold `=`, newlines or anything else and
 * stays one value. Only names could smuggle something in, so names are checked.
 */

import { attributeWord, type Word } from "./codec/word.ts";
import { InvalidCommandError } from "./errors.ts";

/** Attribute values by name; text is sent as UTF-8, bytes as they are. */
export type Values = Readonly<Record<string, Word>>;

/** `/` and path parts joined by `/`, never spaces. Source: MikroTik manual, "API", command word. */
const COMMAND = /^(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/;

/** Visible ASCII without `=`, which would end the name. */
const NAME = /^[!-<>-~]+$/;

/** The connection issues these itself; sent by hand they would break it or cancel the commands of others. */
const RESERVED: ReadonlySet<string> = new Set(["/login", "/cancel"]);

/** Attributes whose values an error may show; every other value counts as secret. */
const SHOWN: ReadonlySet<string> = new Set([".id", "numbers", "number", "name", ".proplist", "count-only"]);

/** Attributes whose values are taken out of what a router says back to us. */
const SECRET_NAME = /pass|secret|response|(?:^|-)key$/;

/** Shorter values stay: taking every "a" out of a message would tell more than it hides. */
const MIN_SCRUBBED_LENGTH = 4;

/** The words of a command with its attributes and, last, its query words, whose order matters. */
export function commandWords(command: string, values: Values = {}, queries: readonly string[] = []): Word[] {
  const words: Word[] = [command];
  for (const [name, value] of Object.entries(values)) {
    if (!NAME.test(name)) refuse(command, `${JSON.stringify(name)} is no attribute name`);
    words.push(attributeWord(name, value));
  }
  words.push(...queries);
  return words;
}

/**
 * Check the words of a command: the first a path, the others attributes (`=name=value`) or queries (`?...`).
 * @throws InvalidCommandError what is wrong; no value is shown
 */
export function checkCommand(words: readonly Word[]): void {
  const [command] = words;
  if (typeof command !== "string" || !COMMAND.test(command)) {
    throw new InvalidCommandError("a command is a path such as /ip/address/print, without spaces", {
      operation: "encode",
    });
  }
  if (RESERVED.has(command)) refuse(command, "the connection sends it itself");
  for (let i = 1; i < words.length; i++) checkWord(command, words[i] ?? "");
}

function checkWord(command: string, word: Word): void {
  const text = startOf(word);
  if (text.startsWith("?") && text.length > 1) return;
  const nameEnd = text.indexOf("=", 1);
  if (!text.startsWith("=") || nameEnd === -1 || !NAME.test(text.slice(1, nameEnd))) {
    refuse(command, "every further word is =name=value or ?query");
  }
}

function refuse(command: string, why: string): never {
  throw new InvalidCommandError(`${why} (in ${JSON.stringify(command.slice(0, 100))})`, {
    operation: command,
  });
}

/** Enough text of a word to read its kind and name; the bytes of a value need not be text. */
function startOf(word: Word): string {
  return typeof word === "string" ? word : Buffer.from(word).toString("latin1");
}

/** The command as one line for people, values that may be secret left out: `/user/set =.id=*2 =password=...`. */
export function describeCommand(words: readonly Word[]): string {
  const [command = "", ...rest] = words.map(startOf);
  return [command, ...rest.map(describeWord)].join(" ");
}

function describeWord(text: string): string {
  const [shown = "", name = ""] = /^[=?][-<>#]?([^=<>]*)/.exec(text) ?? [];
  return shown === text || SHOWN.has(name) ? text : `${shown}=...`;
}

/** The secret values of a command, to keep them out of errors should the router say them back to us. */
export function secretValues(words: readonly Word[]): string[] {
  return words
    .filter((word) => typeof word === "string")
    .map((word) => ({ word, nameEnd: word.indexOf("=", 1) }))
    .filter(({ word, nameEnd }) => nameEnd !== -1 && SECRET_NAME.test(word.slice(1, nameEnd)))
    .map(({ word, nameEnd }) => word.slice(nameEnd + 1))
    .filter((value) => value.length >= MIN_SCRUBBED_LENGTH);
}

/** `text` without any of the secrets. */
export function scrub(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
}

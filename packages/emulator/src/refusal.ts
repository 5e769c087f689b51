/**
 * What RouterOS says when it refuses, in one place.
 * Sources: captured replies in public repositories and the MikroTik API and REST manual pages; the number in
 * parentheses belongs to the text. Categories are given only where a capture shows one.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly category: number | undefined;
  /** Second trap of the same command; an unknown menu gets two. */
  readonly also: Refusal | undefined;

  /** Every argument a command lacks, which a script is told at once and the API one by one. */
  readonly missing: readonly string[] | undefined;

  constructor(message: string, category?: number, also?: Refusal, missing?: readonly string[]) {
    super(message);
    this.category = category;
    this.also = also;
    this.missing = missing;
  }
}

const CATEGORY = { missing: 0, argument: 1, interrupted: 2, general: 4 } as const;

export const refusals = {
  badLogin: () => new Refusal("invalid user name or password (6)"),
  badLoginOld: () => new Refusal("cannot log in"),
  notAllowed: () => new Refusal("std failure: not allowed (9)"),
  notPermitted: () => new Refusal("not enough permissions (9)"),
  unknownMenu: (part: string) =>
    new Refusal(`no such command or directory (${part})`, CATEGORY.missing, refusals.unknownPrefix()),
  unknownPrefix: () => new Refusal("no such command prefix"),
  unknownCommand: () => new Refusal("no such command", CATEGORY.missing),
  unknownParameter: (name: string) => new Refusal(`unknown parameter ${name}`),
  unknownParameterOld: () => new Refusal("unknown parameter"),
  noMatch: (argument: string) =>
    new Refusal(`input does not match any value of ${argument}`, CATEGORY.argument),
  invalidValue: (argument: string) =>
    new Refusal(`invalid value for argument ${argument}`, CATEGORY.argument),
  outOfRange: (low: number, high: number) =>
    new Refusal(`value out of range (${low}..${high})`, CATEGORY.argument),
  missing: (...names: readonly [string, ...string[]]) =>
    new Refusal(`missing =${names[0]}=`, undefined, undefined, names),
  noItem: () => new Refusal("no such item", CATEGORY.missing),
  configuredElsewhere: () => new Refusal("failure: this is configured elsewhere"),
  deviceExists: () => new Refusal("already have device with such name", CATEGORY.general),
  interrupted: () => new Refusal("interrupted", CATEGORY.interrupted),
  refused: () => new Refusal("action failed (6)"),
  failure: (why: string) => new Refusal(`failure: ${why}`),
  /** Ours, where RouterOS can do something the emulator can't: never an invented answer. */
  notEmulated: (what: string) => new Refusal(`failure: the emulator does not do ${what}`),
} as const;

import type { Position } from "./ast.ts";

/** A script that can't be read. Nothing of it has run. */
export class ScriptSyntaxError extends Error {
  override readonly name = "ScriptSyntaxError";
  readonly position: Position;
  /** The source ends where more must come: the console asks for another line. */
  readonly incomplete: boolean;

  constructor(what: string, position: Position, incomplete = false) {
    super(`${what} (line ${position.line} column ${position.column})`);
    this.position = position;
    this.incomplete = incomplete;
  }
}

/** A command that failed while the script ran; `on-error` catches it. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

/** The run was ended from outside or went beyond what the emulator carries out; nothing in the script catches it. */
export class ScriptEnded extends Error {
  override readonly name = "ScriptEnded";
}

/** Texts of run-time errors. Only the first is known of RouterOS, the others are the emulator's own words. */
export const scriptErrors = {
  noItem: () => new ScriptError("no such item"),
  missing: (names: readonly string[]) =>
    new ScriptError(`missing value(s) of argument(s) ${names.join(" ")}`),
  operands: (operator: string, left: string, right: string) =>
    new ScriptError(`operator ${operator} does not take ${left} and ${right}`),
  operand: (operator: string, type: string) => new ScriptError(`operator ${operator} does not take ${type}`),
  divisionByZero: () => new ScriptError("division by zero"),
  notBoolean: () => new ScriptError("conditional not boolean"),
  notCode: (type: string) => new ScriptError(`${type} is not a function`),
  argument: (name: string) => new ScriptError(`invalid value for argument ${name}`),
  beyond: (what: string) => new ScriptEnded(`failure: the emulator does not do more than ${what}`),
} as const;

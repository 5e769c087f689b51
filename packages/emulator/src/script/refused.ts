import { Refusal } from "../refusal.ts";
import { ScriptEnded, ScriptError, ScriptSyntaxError } from "./errors.ts";

/** A refusal that a script ran into, with the error it was. */
class ScriptRefusal extends Refusal {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

/** What a script is refused or ended with, as a command's refusal; anything else is the emulator's own failure. */
export function scriptRefusal(error: unknown): unknown {
  const known =
    error instanceof ScriptError || error instanceof ScriptSyntaxError || error instanceof ScriptEnded;
  return known ? new ScriptRefusal(error as Error) : error;
}

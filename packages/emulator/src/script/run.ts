import type { Caller } from "../caller.ts";
import type { Code, Expression } from "./ast.ts";
import type { Scope } from "./environment.ts";
import type { ScriptHost } from "./host.ts";
import type { Names } from "./scope.ts";
import type { Value } from "./values.ts";

/** What a command of a script sees of the run it belongs to. */
export interface Run {
  readonly router: ScriptHost;
  readonly caller: Caller;
  /** Ends the run from outside. */
  readonly signal: AbortSignal | undefined;
  /** Of the script that runs, "" for one without. */
  readonly name: string;
  /** Print bytes; a line end is added where there is none. */
  print(bytes: string): void;
  /** @throws ScriptSyntaxError */
  parse(bytes: string, names?: Names): Code;
  /** Wait for the router's clock. */
  sleep(ms: number): Promise<void>;
  block(code: Code, scope: Scope): Promise<void>;
  value(expression: Expression, scope: Scope): Promise<Value>;
  /** @throws ScriptEnded for a value that takes too much memory */
  bounded(value: Value): Value;
  /** Text of the router as the bytes a script has. */
  text(text: string): Value;
}

/** `:return` on its way to whoever called. */
export class ReturnSignal extends Error {
  readonly value: Value;
  constructor(value: Value) {
    super("return");
    this.value = value;
  }
}

/** `:exit` ends the script and is no error. */
export class ExitSignal extends Error {}

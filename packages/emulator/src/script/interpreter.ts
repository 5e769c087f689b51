import type { Caller } from "../caller.ts";
import type { Code, Expression, Statement } from "./ast.ts";
import { CONTROL } from "./builtins.ts";
import { runCommand } from "./commands.ts";
import { Dictionary } from "./dictionary.ts";
import { FunctionScope, Scope } from "./environment.ts";
import { ScriptEnded, scriptErrors } from "./errors.ts";
import { FUNCTIONS } from "./functions.ts";
import type { ScriptHost } from "./host.ts";
import { binary, isSet, unary } from "./operators.ts";
import { Parser } from "./parser.ts";
import { ExitSignal, ReturnSignal, type Run } from "./run.ts";
import { Names } from "./scope.ts";
import { bytesOf, textOf } from "./text.ts";
import { utility } from "./utilities.ts";
import { array, bool, NOTHING, render, str, type Value } from "./values.ts";

/** What one run may use up; RouterOS has no such bounds, an emulator in a test must come to an end. */
const LIMITS = { steps: 1_000_000, calls: 100, outputBytes: 1024 * 1024, textBytes: 4 * 1024 * 1024 };

/** So many steps, then others get their turn. */
const STEPS_AT_ONCE = 500;

export interface RunOptions {
  readonly router: ScriptHost;
  readonly caller: Caller;
  /** Of the script that runs, "" for one without. */
  readonly name?: string;
  /** Ends the run from outside. */
  readonly signal?: AbortSignal;
  /** Told what the script prints as it prints it, lines ended by LF. */
  readonly print?: (text: string) => void;
  /** Told when the run begins to wait for the router's clock, and when it continues. */
  readonly waiting?: (waits: boolean) => void;
}

/** Runs syntax trees for one caller: its rights, its output, its bounds. */
export class Interpreter implements Run {
  readonly router: ScriptHost;
  readonly caller: Caller;
  readonly signal: AbortSignal | undefined;
  readonly name: string;
  readonly dictionary: Dictionary;
  readonly #options: RunOptions;
  #steps = 0;
  #calls = 0;
  #output = "";

  constructor(options: RunOptions) {
    this.#options = options;
    this.router = options.router;
    this.caller = options.caller;
    this.signal = options.signal;
    this.name = options.name ?? "";
    this.dictionary = new Dictionary(options.router);
  }

  /** Everything printed so far, bytes as characters, lines ended by LF. */
  get output(): string {
    return this.#output;
  }

  /** Print bytes; a line end is added where there is none. */
  print(bytes: string): void {
    const text = bytes.endsWith("\n") ? bytes : `${bytes}\n`;
    if (this.#output.length + text.length > LIMITS.outputBytes) {
      throw scriptErrors.beyond(`${LIMITS.outputBytes} bytes of output`);
    }
    this.#output += text;
    this.#options.print?.(textOf(text));
  }

  /** @throws ScriptSyntaxError */
  parse(bytes: string, names = new Names(undefined)): Code {
    return new Parser(bytes, this.dictionary, { names }).script();
  }

  /**
   * Run a whole script.
   * @returns what it returned; nothing without a `:return`
   * @throws ScriptError, ScriptEnded
   */
  async run(code: Code, scope = new Scope()): Promise<Value> {
    try {
      await this.block(code, scope);
      return NOTHING;
    } catch (signal) {
      if (signal instanceof ReturnSignal) return signal.value;
      if (signal instanceof ExitSignal) return NOTHING;
      throw signal;
    }
  }

  /** Wait for the router's clock. */
  async sleep(ms: number): Promise<void> {
    const { signal } = this;
    const { clock } = this.router;
    this.#options.waiting?.(true);
    await new Promise<void>((resolve) => {
      const wake = () => {
        forget();
        signal?.removeEventListener("abort", wake);
        // Said at once: the clock mustn't move on before the script has.
        this.#options.waiting?.(false);
        resolve();
      };
      const forget = clock.alarm(Math.max(ms, 1), wake);
      signal?.addEventListener("abort", wake);
    });
    this.#live();
  }

  async block(code: Code, scope: Scope): Promise<void> {
    // An empty body of a loop is a step too.
    await this.#step();
    for (const statement of code.body) {
      const value = await this.statement(statement, scope);
      // A number of rows is printed where nobody takes it.
      const counted = statement.kind === "command" && statement.name === "print" && value.type === "num";
      if (counted) this.print(render(value));
    }
  }

  /** @returns what `[ … ]` around it is */
  async statement(statement: Statement, scope: Scope): Promise<Value> {
    await this.#step();
    switch (statement.kind) {
      case "block":
        await this.block(statement.code, new Scope(scope));
        return NOTHING;
      case "command":
        return runCommand(this, statement, scope);
      case "call":
        return this.#call(statement, scope);
      case "builtin":
        return this.#builtin(statement, scope);
    }
  }

  async #builtin(statement: Extract<Statement, { kind: "builtin" }>, scope: Scope): Promise<Value> {
    const control = CONTROL[statement.name] ?? utility(statement.name);
    if (control) return control(this, statement.given, scope);
    const given = new Map<string, Value>();
    for (const [name, expression] of statement.given) given.set(name, await this.value(expression, scope));
    return this.bounded(FUNCTIONS[statement.name]?.(given) ?? NOTHING);
  }

  async #call(statement: Extract<Statement, { kind: "call" }>, scope: Scope): Promise<Value> {
    const target = await this.value(statement.target, scope);
    const { unnamed, named } = statement;
    // `[:len "x"]` alone on a line is a command like any other.
    const plain = statement.target.kind === "result" && unnamed.length + named.size === 0;
    if (target.type !== "code") {
      if (plain) return target;
      throw scriptErrors.notCode(target.type);
    }
    const given = new Map<string, Value>();
    for (const [at, expression] of unnamed.entries()) {
      given.set(String(at + 1), await this.value(expression, scope));
    }
    for (const [name, expression] of named) given.set(name, await this.value(expression, scope));
    return this.callCode(target.code, given);
  }

  async callCode(code: Code, given: ReadonlyMap<string, Value>): Promise<Value> {
    this.#calls += 1;
    if (this.#calls > LIMITS.calls) throw scriptErrors.beyond(`${LIMITS.calls} calls inside one another`);
    try {
      await this.block(code, new FunctionScope(given));
      return NOTHING;
    } catch (signal) {
      if (signal instanceof ReturnSignal) return signal.value;
      throw signal;
    } finally {
      this.#calls -= 1;
    }
  }

  async value(expression: Expression, scope: Scope): Promise<Value> {
    await this.#step();
    switch (expression.kind) {
      case "literal":
        return expression.value;
      case "text":
        return this.#text(expression.parts, scope);
      case "variable":
        return scope.value(expression.name);
      case "property":
        return scope.property(expression.name) ?? NOTHING;
      case "array":
        return this.#array(expression, scope);
      case "result":
        return this.statement(expression.statement, scope);
      case "code":
        return { type: "code", code: expression.code };
      case "unary":
        return unary(expression.operator, await this.value(expression.operand, scope));
      case "binary":
        return this.#binary(expression, scope);
    }
  }

  async #text(parts: readonly (string | Expression)[], scope: Scope): Promise<Value> {
    let text = "";
    for (const part of parts) {
      text += typeof part === "string" ? part : render(await this.value(part, scope));
    }
    return this.bounded(str(text));
  }

  async #array(expression: Extract<Expression, { kind: "array" }>, scope: Scope): Promise<Value> {
    const items = [];
    for (const { key, value } of expression.elements) {
      const name = key && render(await this.value(key, scope));
      items.push({ key: name, value: await this.value(value, scope) });
    }
    return array(items);
  }

  async #binary(expression: Extract<Expression, { kind: "binary" }>, scope: Scope): Promise<Value> {
    const { operator } = expression;
    const left = await this.value(expression.left, scope);
    if (operator === "&&" || operator === "||") {
      if (isSet(left) === (operator === "||")) return bool(operator === "||");
      return bool(isSet(await this.value(expression.right, scope)));
    }
    return this.bounded(binary(operator, left, await this.value(expression.right, scope)));
  }

  /** A value that doubles itself in a loop soon fills any memory. */
  bounded(value: Value): Value {
    const size =
      value.type === "array" ? value.items.length * 64 : value.type === "str" ? value.value.length : 0;
    if (size > LIMITS.textBytes) throw scriptErrors.beyond(`${LIMITS.textBytes} bytes in one value`);
    return value;
  }

  async #step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps > LIMITS.steps) throw scriptErrors.beyond(`${LIMITS.steps} steps in one script`);
    if (this.#steps % STEPS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#live();
  }

  #live(): void {
    if (this.signal?.aborted) throw new ScriptEnded("interrupted");
  }

  /** Text of the router as the bytes a script has. */
  text(text: string): Value {
    return str(bytesOf(text));
  }
}

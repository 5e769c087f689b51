import type { Menu } from "../menus/menu.ts";
import { type Arguments, type Code, type Expression, nameIn, type Statement } from "./ast.ts";
import type { Dictionary } from "./dictionary.ts";
import {
  type ParserContext,
  readBracketed,
  readCondition,
  readName,
  readParenthesis,
} from "./expressions.ts";
import { Names } from "./scope.ts";
import type { BuiltinSignature, Parameter, Signature } from "./signatures.ts";
import { Source } from "./source.ts";
import { readWord, str } from "./values.ts";

const WORD = /[A-Za-z0-9][A-Za-z0-9.-]*/y;
const ARGUMENT = /!?[A-Za-z0-9.][A-Za-z0-9.-]*/y;
/** A bare value ends at a blank, at the end of a command or at a bracket. */
const BARE_VALUE = /[^\s;"${}()[\]\\]+/y;

interface Read {
  readonly given: Arguments;
  readonly unset: readonly string[];
  readonly where: Expression | undefined;
}

/**
 * Reads a script to its syntax tree. Menus, commands and arguments are looked up while reading: what the router
 * doesn't know refuses the whole script before anything has run.
 */
export class Parser {
  readonly #source: Source;
  readonly #dictionary: Dictionary;
  /** The menu commands without a path belong to, "/ip/service". */
  #path: string;
  #names: Names;

  /**
   * @param text one character for each byte
   * @param options.names what is declared already; `options.path` the menu the script begins in
   */
  constructor(text: string, dictionary: Dictionary, options: { names: Names; path?: string }) {
    this.#source = new Source(text);
    this.#dictionary = dictionary;
    this.#names = options.names;
    this.#path = options.path ?? "";
  }

  /** The menu the script has gone to. */
  get path(): string {
    return this.#path;
  }

  /** @throws ScriptSyntaxError */
  script(): Code {
    const body: Statement[] = [];
    for (let statement = this.statement(); statement; statement = this.statement()) body.push(statement);
    return { source: this.#source.text, body };
  }

  /** Go to the line behind the one an error was found in. */
  skipLine(): void {
    this.#source.match(/[^\n]*\n?/y);
  }

  /** The next command of the outermost level; undefined at the end. A line that only goes to a menu is none. */
  statement(): Statement | undefined {
    for (;;) {
      this.#source.skipSeparators();
      if (this.#source.atEnd) return undefined;
      const statement = this.#statement();
      this.#endOfCommand();
      if (statement) return statement;
    }
  }

  #endOfCommand(): void {
    this.#source.skipBlanks();
    if (!this.#source.atEnd && !/[;\n}\]]/.test(this.#source.next)) {
      throw this.#source.error("expected end of command");
    }
    if (this.#depth === 0 && /[}\]]/.test(this.#source.next)) throw this.#source.error();
  }

  #depth = 0;

  #statement(): Statement | undefined {
    const source = this.#source;
    const position = source.position();
    switch (source.next) {
      case "{":
        return { kind: "block", code: this.#block(new Names(this.#names)), position };
      case "$":
      case "[":
        return this.#call(position);
      default:
        return this.#command(position);
    }
  }

  /** `{ … }`: its own names, and the menu is again what it was behind it. */
  #block(names: Names): Code {
    const source = this.#source;
    return source.nested(() => {
      source.expect("{");
      const from = source.at;
      const [outerNames, outerPath] = [this.#names, this.#path];
      this.#names = names;
      this.#depth += 1;
      const body: Statement[] = [];
      for (;;) {
        source.skipSeparators();
        if (source.next === "}") break;
        if (source.atEnd) throw source.error();
        const statement = this.#statement();
        if (statement) body.push(statement);
        this.#endOfCommand();
      }
      this.#depth -= 1;
      [this.#names, this.#path] = [outerNames, outerPath];
      const text = source.text.slice(from, source.at);
      source.expect("}");
      return { source: text, body };
    });
  }

  #context(properties?: readonly string[]): ParserContext {
    const source = this.#source;
    return {
      source,
      questionMark: !this.#dictionary.version7,
      properties,
      isDeclared: (name) => this.#names.knows(name),
      command: () => {
        const { at } = source;
        const path = this.#path;
        this.#depth += 1;
        const statement = this.#statement();
        this.#depth -= 1;
        this.#path = path;
        if (!statement) throw source.error("syntax error", at);
        return statement;
      },
    };
  }

  #call(position: Statement["position"]): Statement {
    const source = this.#source;
    const target = readBracketed(this.#context());
    if (!target) throw source.error();
    const unnamed: Expression[] = [];
    const named = new Map<string, Expression>();
    for (;;) {
      source.skipBlanks();
      if (this.#atEndOfArguments()) return { kind: "call", target, unnamed, named, position };
      const name = source
        .match(/(?:[A-Za-z0-9]+|"[^"\\$\n]+")=/y)
        ?.slice(0, -1)
        .replaceAll('"', "");
      const value = this.#value({ name: name ?? "", kind: "value" });
      if (name === undefined) unnamed.push(value);
      else named.set(name, value);
    }
  }

  #atEndOfArguments(): boolean {
    return this.#source.atEnd || /[;\n)\]}]/.test(this.#source.next);
  }

  /** A path with its command, or a path alone, which is where the commands that follow belong. */
  #command(position: Statement["position"]): Statement | undefined {
    const source = this.#source;
    let path = this.#start();
    for (let first = true; ; first = false) {
      source.skipBlanks();
      const here = path ?? this.#path;
      if (this.#atEndOfArguments()) {
        if (first && path === undefined) throw source.error();
        this.#path = here;
        return undefined;
      }
      const from = source.at;
      const name = source.match(WORD);
      if (name === undefined) throw source.error();
      const builtin = here === "" ? this.#dictionary.builtin(name) : undefined;
      if (builtin) return this.#builtin(name, builtin, position);
      const menu = this.#dictionary.command(here, name);
      if (menu) return this.#menuCommand(menu, name, position);
      const next = `${here}/${name}`;
      if (!this.#dictionary.isDirectory(next)) throw source.error(`bad command name ${name}`, from);
      path = next;
      if (source.next === "/") {
        if (!this.#dictionary.version7) throw source.error();
        source.at += 1;
      }
    }
  }

  /** `/`, `:` and `..` say where a path begins; undefined without one of them: at the current menu. */
  #start(): string | undefined {
    const source = this.#source;
    if (source.take("/") || source.take(":")) return "";
    let path: string | undefined;
    while (source.take("..")) {
      const here: string = path ?? this.#path;
      path = here.slice(0, Math.max(here.lastIndexOf("/"), 0));
      source.match(/[ \t]*\/?[ \t]*/y);
    }
    return path;
  }

  #menuCommand(menu: Menu, name: string, position: Statement["position"]): Statement {
    const outer = this.#path;
    // `[find …]` among the arguments belongs to the menu of the command.
    this.#path = menu.path;
    const read = this.#arguments(this.#dictionary.signature(menu, name));
    this.#path = outer;
    return { kind: "command", menu, name, ...read, position };
  }

  #builtin(name: string, signature: BuiltinSignature, position: Statement["position"]): Statement {
    const outer = this.#names;
    const { given } = this.#arguments(signature, name);
    this.#names = outer;
    if (!signature.required.every((argument) => given.has(argument))) throw this.#source.error();
    if (name === "local" || name === "global") this.#names.declare(nameIn(given, "name"));
    return { kind: "builtin", name, given, position };
  }

  #arguments(signature: Signature, builtin?: string): Read {
    const source = this.#source;
    const given = new Map<string, Expression>();
    const unset: string[] = [];
    let place = 0;
    for (;;) {
      source.skipBlanks();
      if (this.#atEndOfArguments()) return { given, unset, where: undefined };
      const from = source.at;
      const named = this.#named(signature, given);
      if (named) given.set(named.name, this.#argument(named, given, builtin));
      else if (this.#flag(signature, given, unset)) continue;
      else if (signature.properties && (source.match(/where\b/y) !== undefined || signature.bareCondition)) {
        return { given, unset, where: this.#condition(signature.properties) };
      } else {
        while (given.has(signature.unnamed[place]?.name ?? "")) place += 1;
        const parameter = signature.unnamed[place++];
        if (!parameter) throw source.error("expected end of command", from);
        given.set(parameter.name, this.#argument(parameter, given, builtin));
      }
    }
  }

  /** `name=` of an argument the command has; what it hasn't is where the command should have ended. */
  #named(signature: Signature, given: Arguments): Parameter | undefined {
    const source = this.#source;
    const from = source.at;
    const name = source.match(ARGUMENT);
    if (name === undefined || source.next !== "=") {
      source.at = from;
      return undefined;
    }
    const parameter = [...signature.named, ...signature.unnamed].find((known) => known.name === name);
    if (!parameter && signature.bareCondition) {
      source.at = from;
      return undefined;
    }
    if (!parameter || given.has(name)) throw source.error("expected end of command", from);
    source.at += 1;
    return parameter;
  }

  #flag(signature: Signature, given: Map<string, Expression>, unset: string[]): boolean {
    const source = this.#source;
    const from = source.at;
    const word = source.match(ARGUMENT);
    const ends = source.atEnd || /[\s;)\]}]/.test(source.next);
    if (word !== undefined && ends && signature.flags.includes(word)) {
      given.set(word, { kind: "literal", value: str("") });
      return true;
    }
    if (word?.startsWith("!") && ends && signature.unset?.includes(word.slice(1))) {
      unset.push(word.slice(1));
      return true;
    }
    source.at = from;
    return false;
  }

  #condition(properties: readonly string[]): Expression | undefined {
    this.#source.skipBlanks();
    return this.#atEndOfArguments() ? undefined : readCondition(this.#context(properties));
  }

  /** The value of one argument, with the names that hold inside it. */
  #argument(parameter: Parameter, given: Arguments, builtin: string | undefined): Expression {
    const outer = this.#names;
    if (parameter.kind === "code") this.#names = this.#namesInside(builtin, given);
    try {
      // `from= 1`: the manual has it for loops.
      if (builtin !== undefined) this.#source.skipBlanks();
      return this.#value(parameter);
    } finally {
      this.#names = outer;
    }
  }

  #namesInside(builtin: string | undefined, given: Arguments): Names {
    if (builtin === "local" || builtin === "global" || builtin === "set") return new Names(undefined, true);
    const names = new Names(this.#names);
    for (const argument of ["counter", "error-name"]) {
      if (given.has(argument)) for (const name of nameIn(given, argument).split(",")) names.declare(name);
    }
    return names;
  }

  #value({ kind }: Parameter): Expression {
    const source = this.#source;
    if (kind === "code") return { kind: "code", code: this.#block(this.#names) };
    if (kind === "name") return { kind: "literal", value: str(this.#variableNames()) };
    if (kind === "place") return this.#place();
    if (kind === "source" && source.next === "{") {
      // Read as a script, so that its end is found and its errors are said here, and kept as the text it is.
      const path = this.#path;
      this.#path = "";
      const { source: text } = this.#block(new Names(undefined, true));
      this.#path = path;
      return { kind: "literal", value: str(text) };
    }
    const bracketed = readBracketed(this.#context());
    if (bracketed) return bracketed;
    const word = source.match(BARE_VALUE);
    if (word !== undefined) return { kind: "literal", value: kind === "value" ? readWord(word) : str(word) };
    if (kind === "value") throw source.error();
    return { kind: "literal", value: str("") };
  }

  /** `name`, or for `:foreach` `key,value`. */
  #variableNames(): string {
    const first = readName(this.#source);
    return this.#source.take(",") ? `${first},${readName(this.#source)}` : first;
  }

  #place(): Expression {
    const source = this.#source;
    const from = source.at;
    if (source.next !== "(") {
      const name = readName(source);
      if (!this.#names.knows(name)) throw source.error("syntax error", from);
      return { kind: "variable", name };
    }
    const place = readParenthesis(this.#context());
    if (place.kind !== "binary" || place.operator !== "->") throw source.error("syntax error", from);
    return place;
  }
}

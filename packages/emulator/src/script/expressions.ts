import type { Element, Expression, Statement } from "./ast.ts";
import type { Source } from "./source.ts";
import { readString, VARIABLE_NAME } from "./strings.ts";
import { readWord, str } from "./values.ts";

/** What the reader of expressions needs of the reader of commands. */
export interface ParserContext {
  readonly source: Source;
  /** `\?` is an escape. */
  readonly questionMark: boolean;
  /** One command, up to the bracket that closes it. */
  readonly command: () => Statement;
  readonly isDeclared: (name: string) => boolean;
  /** Inside a `where`: the properties its words stand for. */
  readonly properties: readonly string[] | undefined;
}

/** Binary operators from the loosest to the tightest; the manual has no order, this is C's with `,` and `.` before. */
const LEVELS: readonly RegExp[] = [
  /\|\||or\b/y,
  /&&|and\b/y,
  /!=|<=|>=|=|<(?!<)|>(?!>)|~|in\b/y,
  /,/y,
  /\.(?!\.)/y,
  /\|(?!\|)|\^/y,
  /&(?!&)/y,
  /<<|>>/y,
  /\+|-(?!>)/y,
  /\*|\/|%/y,
];
const SPELLINGS: Readonly<Record<string, string>> = { and: "&&", or: "||" };

/** Forms of a bare word inside an expression, longest first: what isn't one of them is operators. */
const WORDS: readonly RegExp[] = [
  /(\d{1,3}\.){3}\d{1,3}(\/\d{1,2})?/y,
  /(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(\/\d{1,3})?/y,
  /(\d+w)?(\d+d)?\d{1,2}:\d{2}:\d{2}(\.\d{1,3})?/y,
  /0x[0-9a-fA-F]+/y,
  /(\d+(w|d|h|ms|m|s))+(?![A-Za-z0-9])/y,
  /\*[0-9A-Fa-f]+/y,
  // `10/2` is taken for an address by RouterOS; a division needs blanks or brackets.
  /\d+(?![A-Za-z0-9/])/y,
  /\.?[A-Za-z_](?:[A-Za-z0-9_]|-(?!>))*/y,
];

/** A value in a `where` behind a comparison, written bare: `10.0.0.0/8`, `ether1`, `22-23`. */
const CONDITION_WORD = /[^\s;()[\]{}"$&|]+/y;

/** A `( … )` that has been opened, up to its `)`. */
export function readParenthesis(context: ParserContext): Expression {
  const { source } = context;
  return source.nested(() => {
    source.expect("(");
    const inner = readLevel(context, 0);
    source.skipBlanks();
    source.expect(")");
    return inner;
  });
}

/** The conditions of a `where`: as many as stand there, all of which must hold. */
export function readCondition(context: ParserContext): Expression {
  const { source } = context;
  let all = readLevel(context, 0);
  for (;;) {
    source.skipBlanks();
    if (source.atEnd || /[;\n)\]}]/.test(source.next)) return all;
    all = { kind: "binary", operator: "&&", left: all, right: readLevel(context, 0) };
  }
}

function readLevel(context: ParserContext, level: number): Expression {
  const operators = LEVELS[level];
  if (!operators) return readUnary(context);
  const { source } = context;
  let left = readLevel(context, level + 1);
  for (;;) {
    source.skipBlanks();
    const operator = source.match(operators);
    if (operator === undefined) return left;
    const right = comparesWithWord(context, level)
      ? readConditionWord(source)
      : readLevel(context, level + 1);
    left = { kind: "binary", operator: SPELLINGS[operator] ?? operator, left, right };
  }
}

const COMPARISON = 2;

/** Behind a comparison in a `where` a bare word is a value, whatever operators its characters would be elsewhere. */
function comparesWithWord({ source, properties }: ParserContext, level: number): boolean {
  if (level !== COMPARISON || properties === undefined) return false;
  source.skipBlanks();
  return !/^["$[({!]/.test(source.next) && source.peek(CONDITION_WORD) !== undefined;
}

function readConditionWord(source: Source): Expression {
  return { kind: "literal", value: readWord(source.match(CONDITION_WORD) ?? "") };
}

function readUnary(context: ParserContext): Expression {
  const { source } = context;
  return source.nested(() => {
    source.skipBlanks();
    const operator = source.match(/!(?!=)|-|~/y);
    if (operator !== undefined) return { kind: "unary", operator, operand: readUnary(context) };
    return readElementOf(context, readPrimary(context));
  });
}

/** `->"key"` as often as it stands there. */
function readElementOf(context: ParserContext, array: Expression): Expression {
  const { source } = context;
  let result = array;
  for (;;) {
    const { at } = source;
    source.skipBlanks();
    if (!source.take("->")) {
      source.at = at;
      return result;
    }
    source.skipBlanks();
    result = { kind: "binary", operator: "->", left: result, right: readPrimary(context) };
  }
}

function readPrimary(context: ParserContext): Expression {
  const { source, properties } = context;
  const bracketed = readBracketed(context);
  if (bracketed) return bracketed;
  const from = source.at;
  for (const form of WORDS) {
    const word = source.match(form);
    if (word === undefined) continue;
    if (properties?.includes(word)) return { kind: "property", name: word };
    if (properties) throw source.error("expected end of command", from);
    return { kind: "literal", value: readWord(word) };
  }
  throw source.error();
}

/** A string, variable, substitution, parenthesis or array; undefined where none begins. */
export function readBracketed(context: ParserContext): Expression | undefined {
  const { source } = context;
  switch (source.next) {
    case '"':
      return readString(source, context.questionMark, () => readSubstitution(context));
    case "$":
      return readSubstitution(context);
    case "[":
      return readResult(context);
    case "(":
      return readParenthesis(context);
    case "{":
      return readArray(context);
    default:
      return undefined;
  }
}

/** `$name`, `$"any name"`; inside a string `$[…]` and `$(…)` too. */
function readSubstitution(context: ParserContext): Expression {
  const { source } = context;
  source.expect("$");
  if (source.next === "[") return readResult(context);
  if (source.next === "(") return readParenthesis(context);
  const from = source.at;
  const name = readName(source);
  const known = context.isDeclared(name) || context.properties?.includes(name);
  if (!known) throw source.error("syntax error", from);
  return { kind: "variable", name };
}

/** A variable's name, bare or in quotes. */
export function readName(source: Source): string {
  const bare = source.match(VARIABLE_NAME);
  if (bare !== undefined) return bare;
  const quoted = source.match(/"[^"\\$\n]+"/y);
  if (quoted === undefined) throw source.error();
  return quoted.slice(1, -1);
}

function readResult(context: ParserContext): Expression {
  const { source } = context;
  return source.nested(() => {
    source.expect("[");
    source.skipSeparators();
    const statement = context.command();
    source.skipSeparators();
    source.expect("]");
    return { kind: "result", statement };
  });
}

/** `{1;2}`, `{a=1;"b-c"=2}`. An empty one is a syntax error. */
function readArray(context: ParserContext): Expression {
  const { source } = context;
  return source.nested(() => {
    source.expect("{");
    const elements: Element[] = [];
    do {
      source.skipLines();
      if (elements.length > 0 && source.next === "}") break;
      elements.push(readElement(context));
      source.skipLines();
    } while (source.take(";"));
    source.expect("}");
    return { kind: "array", elements };
  });
}

function readElement(context: ParserContext): Element {
  const { source } = context;
  const key = source.match(/(?:[A-Za-z0-9_.-]+|"[^"\\$\n]*")=/y)?.slice(0, -1);
  const value = readBracketed(context) ?? readElementWord(source);
  if (key === undefined) return { key: undefined, value };
  return { key: { kind: "literal", value: str(key.replaceAll('"', "")) }, value };
}

function readElementWord(source: Source): Expression {
  const word = source.match(/[^\s;"${}()[\]\\]+/y);
  if (word === undefined) throw source.error();
  return { kind: "literal", value: readWord(word) };
}

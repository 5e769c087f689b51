import type { Row } from "@portreeve/routeros";
import { readSeconds } from "./values.ts";

/** `?name`, `?-name`, `?name=x`, `?=name=x`, `?<name=x`, `?>name=x` */
function condition(word: string, row: Row): boolean {
  const body = word.slice(1);
  if (body.startsWith("-")) return row[body.slice(1)] === undefined;
  const operator = /^[=<>]/.test(body) ? body[0] : "=";
  const rest = /^[=<>]/.test(body) ? body.slice(1) : body;
  // A name may begin with a dot but holds no `=`; the value starts after the first one and may hold more.
  const at = rest.indexOf("=");
  if (at < 0) return row[rest] !== undefined;
  const name = rest.slice(0, at);
  const wanted = rest.slice(at + 1);
  const actual = row[name];
  // A property the item lacks has no value to compare: the manual's test for it is `?-name`.
  if (actual === undefined) return false;
  if (operator === "=") return equal(actual, wanted);
  const order = compare(actual, wanted);
  return operator === "<" ? order < 0 : order > 0;
}

/** Booleans are read back true/false and may be asked for as yes/no. */
function equal(actual: string, wanted: string): boolean {
  if (actual === "true") return wanted === "true" || wanted === "yes";
  if (actual === "false") return wanted === "false" || wanted === "no";
  return actual === wanted;
}

/** Numbers and durations by amount, everything else (dates among it) by bytes. */
function compare(left: string, right: string): number {
  const numbers = [left, right].map((side) => (/^-?\d+$/.test(side) ? Number(side) : readSeconds(side)));
  const [a, b] = numbers;
  if (a !== undefined && b !== undefined) return a - b;
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * One `?#` word over the stack: `!` negates, `&` and `|` combine, digits are an index from the top. An index
 * followed by a character pushes a copy; at the end of the word it replaces all values by that one; `.` after an
 * index does nothing, after another character it copies the top.
 */
function operate(operations: string, stack: boolean[]): boolean[] {
  // The stack is endless `true` below what was pushed.
  let values = stack;
  const pop = () => values.pop() ?? true;
  const fromTop = (index: number) => values[values.length - 1 - index] ?? true;
  const tokens = operations.match(/\d+|./g) ?? [];
  tokens.forEach((token, position) => {
    if (/^\d/.test(token)) {
      const value = fromTop(Number(token));
      if (position === tokens.length - 1) values = [value];
      else values.push(value);
    } else if (token === "!") values.push(!pop());
    else if (token === "&" || token === "|") {
      const [right, left] = [pop(), pop()];
      values.push(token === "&" ? left && right : left || right);
    } else if (token === "." && !/^\d/.test(tokens[position - 1] ?? "")) values.push(fromTop(0));
  });
  return values;
}

/**
 * Does a row pass a query? Words are evaluated in order on a stack of booleans; the row passes if no `false`
 * is left. Source: MikroTik manual, "API", section on queries.
 */
export function passes(words: readonly string[], row: Row): boolean {
  let stack: boolean[] = [];
  for (const word of words) {
    if (word.startsWith("?#")) stack = operate(word.slice(2), stack);
    else stack.push(condition(word, row));
  }
  return !stack.includes(false);
}

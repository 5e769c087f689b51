import ipaddr from "ipaddr.js";
import { scriptErrors } from "./errors.ts";
import { matches } from "./regular-expression.ts";
import { array, bool, NOTHING, num, readWord, render, str, type Value } from "./values.ts";

type Binary = (left: Value, right: Value, operator: string) => Value;

const isAddress = (value: Value) => value.type === "ip" || value.type === "ip6";

/** Texts that look like numbers count as numbers, as values read from menus are. */
function numeric(value: Value): Value {
  if (value.type !== "str") return value;
  const read = readWord(value.value);
  return read.type === "num" || read.type === "time" || read.type === "ip" ? read : value;
}

const toNumber = (address: string): bigint =>
  address.split(".").reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

function toAddress(value: bigint): Value {
  const bits = BigInt.asUintN(32, value);
  const bytes = [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n);
  return { type: "ip", value: bytes.join(".") };
}

const refuse = (operator: string, left: Value, right: Value) =>
  scriptErrors.operands(operator, left.type, right.type);

const arithmetic =
  (whole: (a: bigint, b: bigint) => bigint): Binary =>
  (leftValue, rightValue, operator) => {
    const [left, right] = [numeric(leftValue), numeric(rightValue)];
    if (left.type === "num" && right.type === "num") return num(whole(left.value, right.value));
    if (left.type === "time" || right.type === "time") return ofTimes(left, right, operator, whole);
    const sum = operator === "+" || operator === "-";
    if (left.type === "ip" && right.type === "num" && sum) {
      return toAddress(whole(toNumber(left.value), right.value));
    }
    if (left.type === "ip" && right.type === "ip" && operator === "-") {
      return num(toNumber(left.value) - toNumber(right.value));
    }
    throw refuse(operator, left, right);
  };

/** Times add to times, and are multiplied and divided by numbers. */
function ofTimes(
  left: Value,
  right: Value,
  operator: string,
  whole: (a: bigint, b: bigint) => bigint,
): Value {
  const bothTimes = left.type === "time" && right.type === "time";
  const byNumber = left.type === "time" && right.type === "num";
  if ((bothTimes && /[+-]/.test(operator)) || (byNumber && /[*/]/.test(operator))) {
    return { type: "time", value: Number(whole(BigInt(left.value), BigInt(right.value))) };
  }
  throw refuse(operator, left, right);
}

function divisor(value: bigint): bigint {
  if (value === 0n) throw scriptErrors.divisionByZero();
  return value;
}

const bits =
  (combine: (a: bigint, b: bigint) => bigint): Binary =>
  (left, right, operator) => {
    if (left.type === "ip" && right.type === "ip") {
      return toAddress(combine(toNumber(left.value), toNumber(right.value)));
    }
    if (left.type === "num" && right.type === "num") return num(combine(left.value, right.value));
    throw refuse(operator, left, right);
  };

/** Equal as values; a boolean equals its word, and anything what it looks like when printed. */
export function equal(left: Value, right: Value): boolean {
  if (left.type === "nothing" || right.type === "nothing") {
    return render(left) === "" && render(right) === "" && left.type !== "num" && right.type !== "num";
  }
  if (left.type === "bool" || right.type === "bool") return word(left) === word(right);
  return render(left) === render(right) || (left.type === "time" && wireEqual(left.value, right));
}

const wireEqual = (ms: number, other: Value): boolean => {
  const read = other.type === "str" ? readWord(other.value) : other;
  return read.type === "time" && read.value === ms;
};

function word(value: Value): string {
  const text = render(value);
  if (text === "yes") return "true";
  return text === "no" ? "false" : text;
}

/** Source: manual, `:nothing`: less than any number. */
function compare(leftValue: Value, rightValue: Value, operator: string): number {
  const [left, right] = [numeric(leftValue), numeric(rightValue)];
  if (left.type === "nothing" || right.type === "nothing") {
    if (left.type === right.type) return 0;
    return left.type === "nothing" ? -1 : 1;
  }
  if (left.type === right.type) {
    if (left.type === "num" || left.type === "time") {
      return Number(left.value) - Number((right as typeof left).value);
    }
    if (left.type === "ip") return Number(toNumber(left.value) - toNumber(render(right)));
    if (left.type === "str") return left.value < render(right) ? -1 : left.value > render(right) ? 1 : 0;
  }
  throw refuse(operator, left, right);
}

const comparison =
  (holds: (order: number) => boolean): Binary =>
  (left, right, operator) =>
    bool(holds(compare(left, right, operator)));

export function truth(value: Value): boolean {
  if (value.type === "bool") return value.value;
  throw scriptErrors.notBoolean();
}

/** An operand of `!`, `&&` and `||`: a property the row lacks is not set. */
export const isSet = (value: Value): boolean => value.type !== "nothing" && truth(value);

/** `address in prefix`, or a member of an array. */
function isIn(left: Value, right: Value): boolean {
  if (right.type === "array") return right.items.some((item) => equal(item.value, left));
  const [inner, outer] = [left, right].map((value) =>
    value.type === "str" ? readWord(value.value) : value,
  ) as [Value, Value];
  const prefix = render(outer).includes("/") ? render(outer) : `${render(outer)}/${isV6(outer) ? 128 : 32}`;
  const [address = "", own] = render(inner).split("/");
  if (!isNetwork(inner) || !isNetwork(outer)) throw refuse("in", left, right);
  if (isV6(inner) !== isV6(outer)) return false;
  const [network, length] = ipaddr.parseCIDR(prefix);
  return Number(own ?? 128) >= length && ipaddr.parse(address).match(network, length);
}

const isNetwork = (value: Value) =>
  isAddress(value) || value.type === "ip-prefix" || value.type === "ip6-prefix";
const isV6 = (value: Value) => value.type === "ip6" || value.type === "ip6-prefix";

function join(left: Value, right: Value): Value {
  const items = [left, right].flatMap((value) => {
    if (value.type === "array") return value.items;
    return value.type === "nothing" ? [] : [{ key: undefined, value }];
  });
  return array(items);
}

function element(holder: Value, key: Value): Value {
  if (holder.type !== "array") return NOTHING;
  const at = key.type === "num" ? holder.items[Number(key.value)] : undefined;
  return at?.value ?? holder.items.find((item) => item.key === render(key))?.value ?? NOTHING;
}

/** `&&` and `||` are the interpreter's: their right side may not be looked at. */
const BINARY: Readonly<Record<string, Binary>> = {
  "+": arithmetic((a, b) => a + b),
  "-": arithmetic((a, b) => a - b),
  "*": arithmetic((a, b) => a * b),
  "/": arithmetic((a, b) => a / divisor(b)),
  "%": arithmetic((a, b) => a % divisor(b)),
  "&": bits((a, b) => a & b),
  "|": bits((a, b) => a | b),
  "^": bits((a, b) => a ^ b),
  "<<": bits((a, b) => a << (b & 63n)),
  ">>": bits((a, b) => a >> (b & 63n)),
  "=": (left, right) => bool(equal(left, right)),
  "!=": (left, right) => bool(!equal(left, right)),
  "<": comparison((order) => order < 0),
  ">": comparison((order) => order > 0),
  "<=": comparison((order) => order <= 0),
  ">=": comparison((order) => order >= 0),
  "~": (left, right) => bool(matches(render(left), render(right))),
  in: (left, right) => bool(isIn(left, right)),
  ".": (left, right) => str(render(left) + render(right)),
  ",": join,
  "->": element,
};

/** @throws ScriptError for operands the operator doesn't take */
export function binary(operator: string, left: Value, right: Value): Value {
  const operation = BINARY[operator];
  if (!operation) throw scriptErrors.operands(operator, left.type, right.type);
  return operation(left, right, operator);
}

export function unary(operator: string, operandValue: Value): Value {
  const operand = numeric(operandValue);
  if (operator === "!") return bool(!isSet(operandValue));
  if (operator === "-" && operand.type === "num") return num(-operand.value);
  if (operator === "-" && operand.type === "time") return { type: "time", value: -operand.value };
  if (operator === "~" && operand.type === "ip") return toAddress(~toNumber(operand.value));
  throw scriptErrors.operand(operator, operand.type);
}

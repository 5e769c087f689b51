import { type Arguments, type Code, type Expression, nameIn } from "./ast.ts";
import { type Cell, Scope } from "./environment.ts";
import { ScriptError, ScriptSyntaxError, scriptErrors } from "./errors.ts";
import { truth } from "./operators.ts";
import { ExitSignal, ReturnSignal, type Run } from "./run.ts";
import { Names } from "./scope.ts";
import { array, bool, NOTHING, num, readWord, render, str, type Value } from "./values.ts";

type Control = (run: Run, given: Arguments, scope: Scope) => Promise<Value>;

async function argument(run: Run, given: Arguments, name: string, scope: Scope): Promise<Value> {
  const expression = given.get(name);
  return expression ? run.value(expression, scope) : NOTHING;
}

/** The block of an argument, run with the names around it visible. */
async function runBlock(run: Run, given: Arguments, name: string, scope: Scope): Promise<void> {
  const code = codeIn(given, name);
  if (code) await run.block(code, new Scope(scope));
}

function codeIn(given: Arguments, name: string): Code | undefined {
  const expression = given.get(name);
  return expression?.kind === "code" ? expression.code : undefined;
}

const isError = (error: unknown) => error instanceof ScriptError || error instanceof ScriptSyntaxError;

async function assigned(run: Run, given: Arguments, scope: Scope): Promise<Value | undefined> {
  const expression = given.get("do") ?? given.get("value");
  return expression && run.value(expression, scope);
}

const local: Control = async (run, given, scope) => {
  const value = await assigned(run, given, scope);
  scope.declare(nameIn(given, "name"), { value: value ?? NOTHING });
  return NOTHING;
};

const global: Control = async (run, given, scope) => {
  const name = nameIn(given, "name");
  const value = await assigned(run, given, scope);
  const cell: Cell = run.router.globals.cell(name);
  scope.share(name, cell);
  if (value) cell.value = value;
  return NOTHING;
};

const set: Control = async (run, given, scope) => {
  const place = given.get("name");
  const value = await assigned(run, given, scope);
  if (place?.kind === "variable") {
    const cell = scope.cell(place.name);
    if (!cell) return NOTHING;
    cell.value = value ?? NOTHING;
    if (!value) run.router.globals.forget(cell);
  } else if (place?.kind === "binary") {
    await setElement(run, place, value ?? NOTHING, scope);
  }
  return NOTHING;
};

async function setElement(
  run: Run,
  place: Extract<Expression, { kind: "binary" }>,
  value: Value,
  scope: Scope,
): Promise<void> {
  if (place.left.kind !== "variable") throw scriptErrors.argument("name");
  const cell = scope.cell(place.left.name);
  const key = await run.value(place.right, scope);
  const items = cell?.value.type === "array" ? cell.value.items : [];
  const index = key.type === "num" ? Number(key.value) : undefined;
  if (!cell || (index !== undefined && index >= items.length)) throw scriptErrors.argument("name");
  const name = render(key);
  const changed =
    index === undefined
      ? [...items.filter((item) => item.key !== name), { key: name, value }]
      : items.map((item, at) => (at === index ? { key: item.key, value } : item));
  cell.value = run.bounded(array(changed));
}

const ifThen: Control = async (run, given, scope) => {
  const condition = await argument(run, given, "condition", scope);
  await runBlock(run, given, truth(condition) ? "do" : "else", scope);
  return NOTHING;
};

const doBlock: Control = async (run, given, scope) => {
  try {
    do await runBlock(run, given, "command", scope);
    while (given.has("while") && truth(await argument(run, given, "while", scope)));
  } catch (error) {
    if (!isError(error) || !given.has("on-error")) throw error;
    await runBlock(run, given, "on-error", scope);
  }
  return NOTHING;
};

const whileLoop: Control = async (run, given, scope) => {
  while (truth(await argument(run, given, "condition", scope))) await runBlock(run, given, "do", scope);
  return NOTHING;
};

function integer(value: Value, name: string): bigint {
  const read = value.type === "str" ? readWord(value.value) : value;
  if (read.type !== "num") throw scriptErrors.argument(name);
  return read.value;
}

const forLoop: Control = async (run, given, scope) => {
  const [from, to] = [
    integer(await argument(run, given, "from", scope), "from"),
    integer(await argument(run, given, "to", scope), "to"),
  ];
  const backwards = from > to ? -1n : 1n;
  const step = given.has("step") ? integer(await argument(run, given, "step", scope), "step") : backwards;
  if (step === 0n) throw scriptErrors.argument("step");
  for (let at = from; step > 0n ? at <= to : at >= to; at += step) {
    const inner = new Scope(scope);
    inner.declare(nameIn(given, "counter"), { value: num(at) });
    await runBlock(run, given, "do", inner);
  }
  return NOTHING;
};

const foreach: Control = async (run, given, scope) => {
  const names = nameIn(given, "counter").split(",");
  const over = await argument(run, given, "in", scope);
  const single = over.type === "nothing" || over.type === "nil" ? [] : [{ key: undefined, value: over }];
  const items = over.type === "array" ? over.items : single;
  for (const [at, { key, value }] of items.entries()) {
    const inner = new Scope(scope);
    const [first = "", second] = names;
    if (second === undefined) inner.declare(first, { value });
    else {
      inner.declare(first, { value: key === undefined ? num(at) : str(key) });
      inner.declare(second, { value });
    }
    await runBlock(run, given, "do", inner);
  }
  return NOTHING;
};

const put: Control = async (run, given, scope) => {
  run.print(render(await argument(run, given, "message", scope)));
  return NOTHING;
};

const error: Control = async (run, given, scope) => {
  throw new ScriptError(render(await argument(run, given, "message", scope)));
};

const leave: Control = async (run, given, scope) => {
  throw new ReturnSignal(await argument(run, given, "value", scope));
};

const exit: Control = async () => {
  throw new ExitSignal("exit");
};

/** A number is seconds. */
function milliseconds(value: Value, name: string): number {
  const read = value.type === "str" ? readWord(value.value) : value;
  if (read.type === "time" && read.value >= 0) return read.value;
  if (read.type === "num" && read.value >= 0n) return Number(read.value) * 1000;
  throw scriptErrors.argument(name);
}

const delay: Control = async (run, given, scope) => {
  const time = given.has("delay-time")
    ? milliseconds(await argument(run, given, "delay-time", scope), "delay-time")
    : 1000;
  await run.sleep(time);
  return NOTHING;
};

const onerror: Control = async (run, given, scope) => {
  try {
    await runBlock(run, given, "in", scope);
    return bool(false);
  } catch (thrown) {
    if (!isError(thrown)) throw thrown;
    const inner = new Scope(scope);
    inner.declare(nameIn(given, "error-name"), { value: run.text((thrown as Error).message) });
    await runBlock(run, given, "do", inner);
    return bool(true);
  }
};

const retry: Control = async (run, given, scope) => {
  const pause = milliseconds(await argument(run, given, "delay", scope), "delay");
  const most = integer(await argument(run, given, "max", scope), "max");
  for (let attempt = 1n; ; attempt += 1n) {
    try {
      await runBlock(run, given, "command", scope);
      return NOTHING;
    } catch (thrown) {
      if (!isError(thrown)) throw thrown;
      if (attempt >= most) {
        if (!given.has("do")) throw thrown;
        await runBlock(run, given, "do", scope);
        return NOTHING;
      }
    }
    await run.sleep(pause);
  }
};

const parse: Control = async (run, given, scope) => {
  const source = render(await argument(run, given, "value", scope));
  return { type: "code", code: run.parse(source, new Names(undefined, true)) };
};

const time: Control = async (run, given, scope) => {
  const { clock } = run.router;
  const from = clock.running();
  await runBlock(run, given, "command", scope);
  return { type: "time", value: clock.running() - from };
};

/** Commands that decide what runs; all others are functions of their arguments. */
export const CONTROL: Readonly<Record<string, Control>> = {
  local,
  global,
  set,
  if: ifThen,
  do: doBlock,
  while: whileLoop,
  for: forLoop,
  foreach,
  put,
  error,
  return: leave,
  exit,
  delay,
  onerror,
  retry,
  parse,
  time,
};

import { ScriptError } from "./errors.ts";
import { bytesOf, textOf } from "./text.ts";
import { array, bool, list, NOTHING, num, readWord, render, str, type Value } from "./values.ts";

/** Keeps texts texts, where otherwise those that look like numbers become numbers. */
const NO_CONVERSION = "json.no-string-conversion";
const OPTIONS = ["", NO_CONVERSION];
/** Deeper documents are refused: the reader calls itself for each level. */
const MAX_DEPTH = 64;

function requireJson(format: string, options: string): boolean {
  if (format !== "json") throw new ScriptError("failure: the emulator serializes JSON alone");
  if (!OPTIONS.includes(options)) throw new ScriptError(`failure: the emulator does not do ${options}`);
  return options !== NO_CONVERSION;
}

/** Source: manual, `:serialize`: a text that is a number comes out as `1234.000000` unless told otherwise. */
export function serialize(value: Value, format: string, options: string): Value {
  return str(bytesOf(write(value, requireJson(format, options))));
}

function write(value: Value, converts: boolean): string {
  switch (value.type) {
    case "nothing":
    case "nil":
      return "null";
    case "bool":
    case "num":
      return String(value.value);
    case "array": {
      const named = value.items.some(({ key }) => key !== undefined);
      const items = value.items.map(({ key, value: inner }, at) => {
        const text = write(inner, converts);
        return named ? `${JSON.stringify(textOf(key ?? String(at)))}:${text}` : text;
      });
      return named ? `{${items.join(",")}}` : `[${items.join(",")}]`;
    }
    default: {
      const text = textOf(render(value));
      if (converts && /^\s*-?\d+(\.\d+)?\s*$/.test(text)) return Number(text).toFixed(6);
      return JSON.stringify(text);
    }
  }
}

export function deserialize(value: Value, format: string, options: string): Value {
  const converts = requireJson(format, options);
  let parsed: unknown;
  try {
    parsed = JSON.parse(textOf(render(value)));
  } catch {
    throw new ScriptError("failure: the value is no JSON");
  }
  return read(parsed, converts, 0);
}

function read(json: unknown, converts: boolean, depth: number): Value {
  if (depth > MAX_DEPTH) throw new ScriptError("failure: the value is nested too deep");
  if (json === null) return NOTHING;
  if (typeof json === "boolean") return bool(json);
  if (typeof json === "number") {
    return Number.isSafeInteger(json) ? num(json) : str(String(json));
  }
  if (typeof json === "string") return converts ? readWord(bytesOf(json)) : str(bytesOf(json));
  if (Array.isArray(json)) return list(json.map((inner) => read(inner, converts, depth + 1)));
  const entries = Object.entries(json as Record<string, unknown>);
  return array(
    entries.map(([key, inner]) => ({ key: bytesOf(key), value: read(inner, converts, depth + 1) })),
  );
}

/** From the command line's words to the API's fields. */
import { plainMessage, problemsOf } from "@portreeve/api-schema";
import { OperatorError } from "../errors.ts";
import { fieldLines } from "./api.ts";
import type { Options } from "./run-verb.ts";

/** As much of a zod schema as is needed here. */
interface Schema<Output> {
  safeParse(
    input: unknown,
    options: { error: typeof plainMessage },
  ):
    | { success: true; data: Output }
    | { success: false; error: { issues: readonly Parameters<typeof problemsOf>[0][] } };
}

/**
 * Evaluate a request before it is sent, by the schema the API evaluates it by.
 * @throws OperatorError one line per field that is wrong
 */
export function checked<Output>(schema: Schema<Output>, fields: unknown): Output {
  const parsed = schema.safeParse(fields, { error: plainMessage });
  if (parsed.success) return parsed.data;
  const errors: Record<string, string[]> = {};
  for (const [path, message] of parsed.error.issues.flatMap(problemsOf)) {
    const field = path.join(".") || "request";
    errors[field] = [...(errors[field] ?? []), message];
  }
  throw new OperatorError(["the request is not valid:", ...fieldLines(errors)].join("\n"));
}

/** Text of an option that is a number; what is none stays as it is, for the schema to refuse. */
export function numeric(text: Options[string]): unknown {
  return typeof text === "string" && /^-?\d+$/.test(text) ? Number(text) : text;
}

/** The option --limit. @throws OperatorError it is no whole number from 1 up */
export function atMost(limit: unknown): number {
  const most = Number(limit);
  if (Number.isInteger(most) && most >= 1) return most;
  throw new OperatorError("--limit must be a whole number from 1 up");
}

/** `?a=1&b=2`; what is undefined is left out. */
export function query(entries: Readonly<Record<string, Options[string] | number>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(entries)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}

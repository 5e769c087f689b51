/** Validation of requests by the routes' zod schemas, in words that say what to change. */
import type { FastifyInstance, FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { type FieldErrors, NotFoundError, ValidationError } from "./errors.ts";

/** Somebody who sends a thousand wrong fields reads no more than these; names come from outside and are cut. */
const MAX_FIELDS = 50;
const MAX_FIELD_CHARACTERS = 100;

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/**
 * Fastify's validator: the parsed value, or the error to answer with.
 * A path that names no possible resource is 404, exactly as one that names somebody else's.
 */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data, { error: plainMessage });
    if (result.success) return { value: result.data };
    if (httpPart === "params") return { error: new NotFoundError() };
    return { error: new ValidationError(fieldErrors(result.error.issues)) };
  };
};

/** A route below /v1 that names no query parameters takes none: a misspelt one is never silently ignored. */
export function refuseUnknownParameters(app: FastifyInstance): void {
  app.addHook("onRoute", (route) => {
    if (!route.url.startsWith("/v1/")) return;
    route.schema = { querystring: z.strictObject({}), ...route.schema };
  });
}

/** Issues as `{field: [messages]}`; a problem with the whole body stands under `body`. */
function fieldErrors(issues: readonly z.core.$ZodIssue[]): FieldErrors {
  // A Map, because field names are the sender's: `__proto__` must be a field like any other.
  const byField = new Map<string, string[]>();
  for (const issue of issues) {
    for (const [path, message] of problemsOf(issue)) {
      const field = path.map(String).join(".").slice(0, MAX_FIELD_CHARACTERS) || "body";
      if (byField.size >= MAX_FIELDS && !byField.has(field)) return Object.fromEntries(byField);
      byField.set(field, [...(byField.get(field) ?? []), message]);
    }
  }
  return Object.fromEntries(byField);
}

/** Unknown fields are named each by itself, so that a misspelt one stands where its sender looks for it. */
function problemsOf(issue: z.core.$ZodIssue): [path: readonly PropertyKey[], message: string][] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => [
      [...issue.path, key],
      "is not a field here; remove it or correct its name",
    ]);
  }
  if (issue.code === "invalid_key") return [[issue.path, "is not an allowed name"]];
  return [[issue.path, issue.message]];
}

/** Our wording where a schema does not bring its own. */
function plainMessage(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `must be ${NOUNS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `must ${sizeOf(issue.origin, "at least", issue.minimum)}`;
    case "too_big":
      return `must ${sizeOf(issue.origin, "at most", issue.maximum)}`;
    case "invalid_format":
      return `must be written as ${issue.format === "regex" ? "the documentation shows" : (FORMATS[issue.format] ?? issue.format)}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_union":
      return "has none of the forms allowed here";
    default:
      return undefined;
  }
}

const NOUNS: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a JSON object",
  array: "a list",
  record: "a JSON object",
  null: "null",
};

const FORMATS: Record<string, string> = {
  guid: "a UUID",
  uuid: "a UUID",
  datetime: "a time such as 2027-03-01T09:30:00Z",
  date: "a date such as 2027-03-01",
  url: "a URL",
  email: "an e-mail address",
};

function sizeOf(origin: string, bound: "at least" | "at most", size: number | bigint): string {
  if (origin === "string") return `have ${bound} ${size} ${size === 1 ? "character" : "characters"}`;
  if (origin === "array" || origin === "set")
    return `have ${bound} ${size} ${size === 1 ? "entry" : "entries"}`;
  return `be ${bound} ${size}`;
}

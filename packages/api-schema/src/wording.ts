/** What is wrong with an input, in words that say what to change: the same from the server and before anything is sent. */
import type { z } from "zod";

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** Unknown fields are named each by itself, so that a misspelt one stands where its sender looks for it. */
export function problemsOf(issue: z.core.$ZodIssue): [path: readonly PropertyKey[], message: string][] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => [
      [...issue.path, key],
      "is not a known field; remove it or correct its name",
    ]);
  }
  if (issue.code === "invalid_key") return [[issue.path, "is not an allowed name"]];
  return [[issue.path, issue.message]];
}

/** Our wording where a schema does not bring its own; handed to `safeParse` as `{ error: plainMessage }`. */
export function plainMessage(issue: RawIssue): string | undefined {
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
      return "matches none of the allowed forms";
    default:
      return undefined;
  }
}

const NOUNS: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  record: "an object",
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

/** Validation of requests by the routes' zod schemas, in words that say what to change. */
import { plainMessage, problemsOf } from "@portreeve/api-schema";
import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { type FieldErrors, NotFoundError, ValidationError } from "../kernel/errors.ts";

/** Somebody who sends a thousand wrong fields reads no more than these; names come from outside and are cut. */
const MAX_FIELDS = 50;
const MAX_FIELD_CHARACTERS = 100;

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

import { z } from "zod";

/** The media type of every error answer (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/**
 * An error answer, RFC 9457. `type` is a path that names the kind of problem (`/problems/<code>`), the same for
 * every occurrence; `code` is its last part and never changes; `detail` is for people and may.
 * `errors` names fields by their dotted path (`winbox.port`), each with what to change.
 */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.record(z.string(), z.array(z.string())).optional(),
  })
  .meta({ id: "Problem", description: "An error answer, RFC 9457." });
export type Problem = z.infer<typeof problem>;

/** The `type` of a problem: a path on this server, so that it needs no outside host. */
export function problemType(code: string): string {
  return `/problems/${code}`;
}

import { z } from "zod";
import { uuid } from "./fields.ts";

/** An id in a path, in the lower case the database answers. A malformed one is 404, as somebody else's is. */
export const uuidParam = uuid.toLowerCase();
/** The path `…/{id}`. */
export const idParams = z.object({ id: uuidParam });
/** The path `…/{site}/…`. */
export const siteParams = z.object({ site: uuidParam });

/** Lists that may hold passwords take this; asked for or not, they show them to tokens with credentials:reveal alone. */
export const reveal = z
  .enum(["true", "false"])
  .default("true")
  .describe("false: leave passwords out, and the audit event with them");

/** What every list takes; a list with filters adds them with `.extend()`. */
export const listQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int("must be a whole number from 1 to 200")
    .min(1, "must be from 1 to 200")
    .max(200, "must be from 1 to 200")
    .default(50)
    .describe("How many at most"),
  cursor: z
    .string()
    .max(1000, "must be the next_cursor of the page before, unchanged")
    .optional()
    .describe("The next_cursor of the page before, unchanged"),
});
export type ListQuery = z.infer<typeof listQuery>;

/** The form of every list beyond the control-plane document; `next_cursor` is null on the last page. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), next_cursor: z.string().nullable() });
}

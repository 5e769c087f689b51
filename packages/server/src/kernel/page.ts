/** Lists of the form `{data, next_cursor}`: pages by key, never by number, so that a page costs the same wherever it is. */
import { z } from "zod";
import { ValidationError } from "./errors.ts";

export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
}

/**
 * One page out of rows fetched with `limit + 1`: the extra row only says that there is a next page.
 * @param cursorOf the key the list is ordered by, of the last row shown; text parts
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => readonly string[],
  present: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { data: shown.map(present), next_cursor: more ? writeCursor(cursorOf(last)) : null };
}

/** Opaque to clients: they pass it back unchanged. */
export function writeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/**
 * @param form what `writeCursor` was given; the parts go into SQL as parameters, so it must keep out what would not cast
 * @throws ValidationError not a cursor of this list
 */
export function readCursor<Parts>(cursor: string | undefined, form: z.ZodType<Parts>): Parts | undefined {
  if (cursor === undefined) return undefined;
  try {
    return form.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch {
    throw new ValidationError({ cursor: ["must be the next_cursor of the page before, unchanged"] });
  }
}

/** The cursor of lists ordered by a time and, within one, by id: `[exactTime(…), id]`. */
export const timeAndId = z.tuple([z.iso.datetime({ precision: 6 }), z.guid()]);

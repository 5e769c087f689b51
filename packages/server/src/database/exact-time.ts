import { type RawBuilder, sql } from "kysely";

/** A timestamptz column as ISO text with all its microseconds; a Date would lose three digits and repeat rows. */
export function exactTime(column: string): RawBuilder<string> {
  return sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

import type pg from "pg";
import { openPrimary } from "./connection.ts";
import type { Connection } from "./hosts.ts";

/**
 * Every row of every table of every schema but PostgreSQL's own, as text, one row per line after its table's name.
 * A bytea column stands as hexadecimal in the row and once more as the text it may hold, so that looking for a word
 * finds it in either.
 */
export async function dumpRows(connection: Connection): Promise<string> {
  const client = await openPrimary(connection);
  try {
    const lines: string[] = [];
    for (const table of await listTables(client)) lines.push(...(await dumpTable(client, table)));
    return lines.join("\n");
  } finally {
    await client.end();
  }
}

interface Table {
  /** Quoted, with its schema. */
  name: string;
  /** Quoted names of its bytea columns. */
  binary: string[];
}

async function listTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    select format('%I.%I', n.nspname, c.relname) as name,
           coalesce(array_agg(quote_ident(a.attname)) filter (where a.atttypid = 'bytea'::regtype), '{}') as binary
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
     group by 1 order by 1`);
  return rows;
}

async function dumpTable(client: pg.Client, { name, binary }: Table): Promise<string[]> {
  const texts = binary.map((column) => `' ' || coalesce(encode(${column}, 'escape'), '')`);
  const { rows } = await client.query<{ line: string }>(
    `select ${["t::text", ...texts].join(" || ")} as line from ${name} as t`,
  );
  return rows.map(({ line }) => `${name} ${line}`);
}

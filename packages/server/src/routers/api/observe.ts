/** Reading menus over the API. */
import { type RouterClient, type Row, TrapError } from "@portreeve/routeros";
import type { MenuRead, Observed } from "../../reconcile/index.ts";

/** All of them at once over one connection. @throws the errors of `RouterClient.print` */
export async function observe(
  client: RouterClient,
  reads: readonly MenuRead[],
  signal: AbortSignal,
): Promise<Observed> {
  const menus = reads.map(async (read) => {
    const rows = await readMenu(client, read, signal);
    return rows ? [[read.menu, rows] as const] : [];
  });
  return new Map((await Promise.all(menus)).flat());
}

async function readMenu(
  client: RouterClient,
  { menu, prints, optional }: MenuRead,
  signal: AbortSignal,
): Promise<Row[] | undefined> {
  try {
    return (await Promise.all(prints.map((print) => client.print(menu, { ...print, signal })))).flat();
  } catch (error) {
    if (optional && error instanceof TrapError && error.unknownCommand) return undefined;
    throw error;
  }
}

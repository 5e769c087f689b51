/** What we read about a router right after logging in. */
import { type RouterClient, type Row, TrapError } from "@portreeve/routeros";
import { printable } from "../kernel/untrusted.ts";
import { NeedsAttentionError } from "../reconcile/index.ts";
import type { RouterIdentity } from "../sites/index.ts";

export async function inspect(client: RouterClient, signal: AbortSignal): Promise<RouterIdentity> {
  const [[identity], [resource], board] = await Promise.all([
    client.print("/system/identity", { signal }),
    client.print("/system/resource", { proplist: ["version", "board-name"], signal }),
    routerboard(client, signal),
  ]);
  return {
    identity: bounded(identity?.name) ?? "",
    version: bounded(resource?.version) ?? "",
    model: bounded(board?.model) ?? bounded(resource?.["board-name"]),
    serialNumber: bounded(board?.["serial-number"]),
  };
}

/** x86 and CHR have no such menu. */
async function routerboard(client: RouterClient, signal: AbortSignal): Promise<Row | undefined> {
  try {
    const [row] = await client.print("/system/routerboard", { signal });
    return row;
  } catch (error) {
    if (error instanceof TrapError) return undefined;
    throw error;
  }
}

/**
 * The address the router sees us come from: the one of our own session in `/user/active`.
 * It is what our user and the services will be restricted to, so a guess is not good enough.
 * @throws NeedsAttentionError when our session can't be told from others
 */
export async function seenFrom(client: RouterClient, username: string, signal: AbortSignal): Promise<string> {
  const rows = await client.print("/user/active", { queries: [`?name=${username}`], signal });
  const ours = rows.filter((row) => row.via?.startsWith("api") && row.address);
  const addresses = [...new Set(ours.map((row) => row.address as string))];
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) return only;
  // Other sessions of the same user: ours is the one that comes from this socket's own address, unless translated.
  const own = addresses.find((address) => address === client.localAddress);
  if (own !== undefined) return own;
  throw new NeedsAttentionError(
    `can't tell from which address the router sees Portreeve: /user/active shows ${addresses.length} addresses for ` +
      `${username}; close the other API sessions of this user`,
  );
}

function bounded(text: string | undefined): string | null {
  return printable(text?.trim() ?? "", 200) || null;
}

/** What roles that know customers share in kind, not in memory: the database, the vault, and where routers may be. */

import { certificateSitePart } from "../certificates/index.ts";
import { Database, migrate, waitForServer } from "../database/index.ts";
import { ownManagementAddress } from "../management-address.ts";
import { policySitePart } from "../policies/index.ts";
import { AddressRules, SiteService } from "../sites/index.ts";
import { openVault, type Vault } from "../vault/index.ts";
import type { RoleContext } from "./role.ts";

/** Connections a role's process opens at most. */
const MAX_CONNECTIONS = 20;

export interface Foundation {
  readonly database: Database;
  readonly vault: Vault;
  readonly addresses: AddressRules;
  /** Source address for connections to routers, where this host has it. */
  readonly localAddress: string | undefined;
}

/**
 * Wait for the database, bring its schema up to date, and open the vault.
 * @param starting closes what is opened here
 */
export async function openFoundation(
  { config, connection, log }: RoleContext,
  starting: AsyncDisposableStack,
): Promise<Foundation> {
  await waitForServer(connection, { log });
  await migrate(connection, { log });
  const database = starting.use(await Database.open({ connection, maxConnections: MAX_CONNECTIONS, log }));
  return {
    database,
    vault: await openVault(database, config.masterKeyFile),
    addresses: new AddressRules({ allowLoopback: config.allowLoopbackSites }),
    localAddress: await ownManagementAddress(config.managementAddress),
  };
}

/** A site has rows of several modules from its first moment. */
export function siteService({ vault, addresses }: Foundation): SiteService {
  return new SiteService({ vault, addresses, parts: [policySitePart, certificateSitePart] });
}

/** The database's problem in words; undefined when it answers. */
export async function databaseProblem(database: Database): Promise<string | undefined> {
  try {
    await database.ping();
    return undefined;
  } catch {
    return "does not answer";
  }
}

/** Problems by part, without the parts that have none. */
export function problemsOf(parts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, problem]) => (problem ? [[part, problem]] : [])),
  );
}

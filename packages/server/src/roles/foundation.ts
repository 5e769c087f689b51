/** What roles that know customers share in kind, not in memory: the database, the vault, and where routers may be. */
import { randomBytes } from "node:crypto";
import { certificateSitePart } from "../certificates/index.ts";
import { type Connection, Database, migrate, namedConnection, waitForServer } from "../database/index.ts";
import { ownManagementAddress } from "../management-address.ts";
import { policySitePart } from "../policies/index.ts";
import { AddressRules, SiteService } from "../sites/index.ts";
import { openVault, type Vault } from "../vault/index.ts";
import type { RoleContext } from "./role.ts";

/** Connections a role's process opens at most. */
const MAX_CONNECTIONS = 20;

export interface Foundation {
  /** For what needs a session of its own: LISTEN, locks. */
  readonly direct: Connection;
  /** Of all database sessions of this role, and of no others: whoever takes its leases ends these. */
  readonly applicationName: string;
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
  { config, embedded, log }: RoleContext,
  starting: AsyncDisposableStack,
): Promise<Foundation> {
  const applicationName = `portreeve ${randomBytes(8).toString("hex")}`;
  const { databaseUrl, databaseDirectUrl } = config;
  const pooled = embedded ?? databaseUrl;
  if (pooled === undefined) throw new TypeError("no database is named, and none was started");
  const connection = namedConnection(pooled, applicationName);
  const direct = namedConnection(embedded ?? databaseDirectUrl ?? pooled, applicationName);
  await waitForServer(direct, { log });
  await migrate(direct, { log });
  const pooler = embedded === undefined && databaseDirectUrl !== undefined;
  const database = starting.use(
    await Database.open({ connection, pooler, maxConnections: MAX_CONNECTIONS, log }),
  );
  return {
    direct,
    applicationName,
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

/** Problems by part, without the parts that have none. */
export function problemsOf(parts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, problem]) => (problem ? [[part, problem]] : [])),
  );
}

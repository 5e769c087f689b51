/** The gateway that a server runs by itself. */
import { sql } from "kysely";
import type { Database } from "../../database/index.ts";
import { hashToken } from "../../tokens/index.ts";
import { lapsed } from "../control/lease.ts";

export interface LocalGateway {
  readonly name: string;
  /** The host name people connect to. */
  readonly entryPoint: string;
  readonly ports: { readonly first: number; readonly last: number };
  /** Its own, in the clear; given to nobody else. */
  readonly token: string;
}

/** Another host runs a gateway of this name. */
class GatewayNameTakenError extends Error {
  override readonly name = "GatewayNameTakenError";
  readonly code = "gateway-name-taken";

  constructor(name: string) {
    super(`PORTREEVE_GATEWAY_NAME: another host runs the gateway ${name}; give this one a name of its own`);
  }
}

/**
 * Register this host's gateway, or say what has changed about it.
 * @throws GatewayNameTakenError nothing was changed
 */
export async function ensureLocalGateway(database: Database, gateway: LocalGateway): Promise<void> {
  const values = {
    token_hash: hashToken(gateway.token),
    entry_point: gateway.entryPoint,
    first_port: gateway.ports.first,
    last_port: gateway.ports.last,
  };
  const written = await database.asSystem((trx) =>
    trx
      .insertInto("gateways")
      .values({ name: gateway.name, ...values })
      .onConflict((conflict) =>
        conflict
          .column("name")
          .doUpdateSet(values)
          // Who has the token is the same gateway; anybody else may have the name when nobody has used it for long.
          .where((where) => where.or([lapsed, sql<boolean>`gateways.token_hash = excluded.token_hash`])),
      )
      .returning("id")
      .executeTakeFirst(),
  );
  if (!written) throw new GatewayNameTakenError(gateway.name);
}

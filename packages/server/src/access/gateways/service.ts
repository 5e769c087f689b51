/** Gateways of the installation: added, listed and removed by the customer who runs it. */
import { randomUUID } from "node:crypto";
import type { Gateway, GatewayInput } from "@portreeve/api-schema";
import { type Selectable, sql } from "kysely";
import { record } from "../../audit/index.ts";
import type { Tables, Trx } from "../../database/index.ts";
import { actorOf, type Caller } from "../../kernel/actor.ts";
import { generateToken, hashToken } from "../../tokens/index.ts";
import type { Secret } from "../../vault/index.ts";
import { GatewayInUseError, GatewayNameError, GatewayNotFoundError, NotTheOperatorError } from "./errors.ts";

type GatewayRow = Pick<
  Selectable<Tables["gateways"]>,
  "id" | "name" | "entry_point" | "first_port" | "last_port" | "created_at" | "last_seen_at" | "restored_at"
> & { readonly is_connected: boolean; readonly grants: number };

const columns = [
  "id",
  "name",
  "entry_point",
  "first_port",
  "last_port",
  "created_at",
  "last_seen_at",
  "restored_at",
] as const;

/** All of them, by name; none for a customer who does not run the installation. */
export async function listGateways(trx: Trx): Promise<Gateway[]> {
  if (!(await operates(trx))) return [];
  return (await withState(trx).orderBy("name").execute()).map(present);
}

/**
 * @returns the gateway and its token: shown once, then only its hash remains
 * @throws NotTheOperatorError, GatewayNameError
 */
export async function addGateway(
  trx: Trx,
  caller: Caller,
  input: GatewayInput,
): Promise<{ gateway: Gateway; token: Secret }> {
  if (!(await operates(trx))) throw new NotTheOperatorError();
  const id = randomUUID();
  const token = generateToken(id);
  const added = await trx
    .insertInto("gateways")
    .values({ id, token_hash: hashToken(token.reveal()), ...input })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!added) throw new GatewayNameError();
  await audit(trx, caller, "gateway.added", id, { ...input });
  const row = await withState(trx).where("id", "=", id).executeTakeFirstOrThrow();
  return { gateway: present(row), token };
}

/**
 * Forget a gateway; its token is refused from now on, and a process that is connected loses its channel within seconds.
 * @throws GatewayNotFoundError, also for a customer who does not run the installation; GatewayInUseError
 */
export async function removeGateway(trx: Trx, caller: Caller, id: string): Promise<void> {
  if (!(await operates(trx))) throw new GatewayNotFoundError();
  const row = await withState(trx).where("id", "=", id).forUpdate().executeTakeFirst();
  if (!row) throw new GatewayNotFoundError();
  if (row.grants > 0) throw new GatewayInUseError();
  // Accesses that were opened through it stay to be shown, so its row does too; nobody has its token any more.
  await trx
    .updateTable("gateways")
    .set({
      removed_at: sql<Date>`now()`,
      token_hash: sql<Buffer>`sha256(gen_random_uuid()::text::bytea)`,
      name: sql<string>`name || ' ' || id`,
    })
    .where("id", "=", id)
    .execute();
  await audit(trx, caller, "gateway.removed", id, { name: row.name });
}

function withState(trx: Trx) {
  return trx
    .selectFrom("gateways")
    .select(columns)
    .select(sql<boolean>`coalesce(lease_until > now(), false)`.as("is_connected"))
    .select(
      // Of all customers: its own row-level security would count the operator's alone.
      sql<number>`gateway_grants(gateways.id)`.as("grants"),
    )
    .where("removed_at", "is", null);
}

async function operates(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ operates: boolean }>`select portreeve_operates() as operates`.execute(trx);
  return rows[0]?.operates ?? false;
}

function audit(trx: Trx, caller: Caller, action: string, id: string, detail: Record<string, unknown>) {
  return record(trx, actorOf(caller), { action, subjectType: "gateway", subjectId: id, detail });
}

function present(row: GatewayRow): Gateway {
  return {
    id: row.id,
    name: row.name,
    entry_point: row.entry_point,
    first_port: row.first_port,
    last_port: row.last_port,
    connected: row.is_connected,
    grants: row.grants,
    created_at: row.created_at.toISOString(),
    last_seen_at: row.last_seen_at?.toISOString() ?? null,
    restored_at: row.restored_at?.toISOString() ?? null,
  };
}

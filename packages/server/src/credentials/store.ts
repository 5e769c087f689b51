/** The SQL of credentials: the logins of ours on each router, sealed. */
import { randomUUID } from "node:crypto";
import { type Selectable, sql } from "kysely";
import type { Tables, Trx } from "../database/index.ts";
import { PASSWORD_LENGTHS, Secret, type Vault } from "../vault/index.ts";

export type CredentialRow = Selectable<Tables["credentials"]>;

/** A login in the clear, for as long as it is used. */
export interface Login {
  readonly id: string;
  readonly username: string;
  readonly password: Secret;
}

function binding(credentialId: string) {
  return { table: "credentials", column: "password", rowId: credentialId };
}

/** Intent first: the new login is kept before any router hears of it. */
export async function insertPending(
  trx: Trx,
  vault: Vault,
  site: { id: string; customer_id: string },
  username: string,
): Promise<CredentialRow> {
  const id = randomUUID();
  return trx
    .insertInto("credentials")
    .values({
      id,
      customer_id: site.customer_id,
      site_id: site.id,
      username,
      password: await vault.seal(
        trx,
        site.customer_id,
        binding(id),
        Secret.generate(PASSWORD_LENGTHS.ownLogin),
      ),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Put another password into a login that no router has taken yet. */
export async function replacePending(
  trx: Trx,
  vault: Vault,
  customerId: string,
  id: string,
  password: Secret,
) {
  const sealed = await vault.seal(trx, customerId, binding(id), password);
  await trx
    .updateTable("credentials")
    .set({ password: sealed })
    .where("id", "=", id)
    .where("state", "=", "pending")
    .execute();
}

/** Every login of a site, current and historical, newest last. */
export function listCredentials(trx: Trx, siteId: string): Promise<CredentialRow[]> {
  return trx
    .selectFrom("credentials")
    .selectAll()
    .where("site_id", "=", siteId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

export async function openLogin(trx: Trx, vault: Vault, row: CredentialRow): Promise<Login> {
  const password = await vault.open(trx, row.customer_id, binding(row.id), row.password);
  return { id: row.id, username: row.username, password };
}

/** The new login is proven: it becomes the active one and the old one history, in one transaction. */
export async function activate(trx: Trx, siteId: string, credentialId: string): Promise<void> {
  await trx
    .updateTable("credentials")
    .set({ state: "retired", deleted_at: sql<Date>`now()` })
    .where("site_id", "=", siteId)
    .where("state", "=", "active")
    .where("id", "!=", credentialId)
    .execute();
  await trx
    .updateTable("credentials")
    .set({ state: "active", activated_at: sql<Date>`now()` })
    .where("id", "=", credentialId)
    .where("state", "=", "pending")
    .execute();
}

import type { Credential } from "@portreeve/api-schema";
import type { Secret } from "../vault/index.ts";
import type { CredentialRow } from "./store.ts";

/** @param password given only to a caller who may read it */
export function presentCredential(row: CredentialRow, password: Secret | undefined): Credential {
  return {
    id: row.id,
    site_id: row.site_id,
    username: row.username,
    password: password?.reveal() ?? null,
    state: row.state,
    // The API's documented form: ISO 8601 with microseconds. Our clock has milliseconds.
    deleted_at: row.deleted_at?.toISOString().replace("Z", "000Z") ?? null,
  };
}

import type { CertificateAuthority } from "@portreeve/api-schema";
import type { AuthorityRow } from "./store.ts";

/** The key is shown to nobody. */
export function presentAuthority(row: AuthorityRow): CertificateAuthority {
  return {
    certificate: row.certificate,
    fingerprint: row.fingerprint,
    subject: row.subject,
    not_after: row.not_after.toISOString(),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

import type { Site } from "@portreeve/api-schema";
import type { SiteRow } from "./store.ts";

/** The site as the API shows it: chosen fields, never a raw row. */
export function presentSite(row: SiteRow): Site {
  return {
    id: row.id,
    name: row.name,
    address: row.address,
    api_port: row.api_port,
    management_transport: row.management_transport,
    tls_fingerprint: row.tls_fingerprint,
    certificate: presentCertificate(row),
    management_address: row.management_address,
    status: row.status,
    policy_id: row.policy_id,
    identity: row.identity,
    model: row.model,
    serial_number: row.serial_number,
    version: row.version,
    last_seen_at: row.last_seen_at?.toISOString() ?? null,
    sync: {
      state: row.sync_state,
      reason: row.sync_reason,
      checked_at: row.sync_checked_at?.toISOString() ?? null,
    },
    metered: row.metered,
    traffic: {
      bytes_sent: Number(row.bytes_sent),
      bytes_received: Number(row.bytes_received),
      since: row.traffic_since.toISOString(),
    },
    created_at: row.created_at.toISOString(),
    updated_at: (row.changed_at > row.updated_at ? row.changed_at : row.updated_at).toISOString(),
  };
}

/** The one the router shows. */
function presentCertificate({ certificates, tls_fingerprint: shown }: SiteRow): Site["certificate"] {
  return certificates.find(({ fingerprint }) => fingerprint === shown) ?? null;
}

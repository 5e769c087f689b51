/** What a request says of how a router is reached, as columns of its connection. Pure. */
import type { SitePatch } from "@portreeve/api-schema";
import { FingerprintWithoutTlsError } from "./errors.ts";
import type { SiteRow } from "./store.ts";

export const DEFAULT_PORTS = { api: 8728, "api-ssl": 8729 } as const;

/**
 * A transport that is given is the one the router has now, whatever was known of the management path; a fingerprint, the
 * certificate it has now, which is kept. Null gives that certificate up: ours takes its place, or the policy's transport.
 * @throws FingerprintWithoutTlsError
 */
export function transportColumns(before: SiteRow, patch: SitePatch) {
  const { management_transport: transport, tls_fingerprint: fingerprint } = patch;
  const api_port = patch.api_port ?? before.api_port;
  if (transport !== undefined) {
    const isSame = transport === before.management_transport;
    return {
      management_transport: transport,
      api_port: patch.api_port ?? (isSame ? before.api_port : DEFAULT_PORTS[transport]),
      next_api_port: null,
      ...pinned(fingerprint ?? null),
    };
  }
  if (fingerprint === undefined) return { api_port };
  if (fingerprint === null) return { api_port, keeps_certificate: false };
  if (before.management_transport === "api") throw new FingerprintWithoutTlsError();
  return { api_port, ...pinned(fingerprint) };
}

function pinned(fingerprint: string | null) {
  return {
    tls_fingerprint: fingerprint,
    keeps_certificate: fingerprint !== null,
  };
}

/** Does the request say which certificate the router shows, or that it shows none? */
export function isGiven({
  management_transport: transport,
  tls_fingerprint: fingerprint,
}: SitePatch): boolean {
  return transport !== undefined || (fingerprint !== undefined && fingerprint !== null);
}

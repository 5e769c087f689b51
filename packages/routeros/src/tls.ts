/** How a TLS connection to `api-ssl` is made: whom we believe, as plain data for `node:tls`. */

import type { ConnectionOptions as NodeTlsOptions } from "node:tls";
import { InvalidValueError } from "./errors.ts";

/**
 * Whom to believe. One of:
 * - `ca`: PEM of the authority; the certificate must carry the host (or `servername`) in its subject-alt-name.
 * - `fingerprint`: SHA-256 of the router's own certificate, hexadecimal, colons allowed; nothing else counts. Several
 *   while one certificate takes another's place.
 * - `anonymousDh`: no certificate at all, as `api-ssl` does with `certificate=none`. It keeps listeners out and
 *   lets any man in the middle in, so it has to be asked for by name.
 */
export type TlsOptions =
  | { readonly ca: string; readonly servername?: string }
  | { readonly fingerprint: string | readonly string[] }
  | { readonly anonymousDh: true };

/**
 * Anonymous suites are below OpenSSL's security level, and TLS 1.3 has none.
 * Source: MikroTik manual, "API" (certificate=none); OpenSSL 1.1+ needs @SECLEVEL=0.
 */
const ANONYMOUS: NodeTlsOptions = {
  ciphers: "ADH-AES256-GCM-SHA384:ADH-AES128-GCM-SHA256:ADH-AES256-SHA256:ADH-AES128-SHA256:@SECLEVEL=0",
  maxVersion: "TLSv1.2",
  rejectUnauthorized: false,
};

/**
 * The options for `tls.connect`. With a fingerprint the certificate is checked afterwards, by
 * {@link sameFingerprint}, before anything is sent.
 * @throws InvalidValueError a fingerprint that is not 32 bytes in hexadecimal
 */
export function nodeTlsOptions(tls: TlsOptions): NodeTlsOptions {
  const base: NodeTlsOptions = { minVersion: "TLSv1.2" };
  if ("anonymousDh" in tls) return { ...base, ...ANONYMOUS };
  if ("fingerprint" in tls) {
    for (const text of [tls.fingerprint].flat()) normalFingerprint(text);
    return { ...base, rejectUnauthorized: false };
  }
  return { ...base, ca: tls.ca, ...(tls.servername === undefined ? {} : { servername: tls.servername }) };
}

/** Whether two SHA-256 fingerprints are the same, whatever their case and colons. */
export function sameFingerprint(a: string, b: string): boolean {
  return normalFingerprint(a) === normalFingerprint(b);
}

/** Whether a certificate's fingerprint is among those that are believed. */
export function isPinned(shown: string, pinned: string | readonly string[]): boolean {
  return [pinned].flat().some((text) => sameFingerprint(shown, text));
}

function normalFingerprint(text: string): string {
  const hex = text.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new InvalidValueError("a certificate fingerprint is the SHA-256 in 64 hexadecimal digits", {
      operation: "connect",
    });
  }
  return hex;
}

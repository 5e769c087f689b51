/**
 * A request for a certificate on a router, and what becomes of it. Pure.
 *
 * RouterOS writes request and key into two files of fixed names. The request's organizational unit is our name of the
 * certificate: so ours are told from an operator's, and one from another.
 */
import type { Observed } from "../reconcile/types.ts";
import * as x509 from "./x509.ts";

/** Source: public guides that use them; MikroTik's manual has no names. */
export const REQUEST_FILE = "certificate-request.pem";
export const KEY_FILE = "certificate-request_key.pem";

/** How the names of all certificates of ours begin. */
export const PREFIX = "portreeve-";

export type RequestState =
  /** No request is there, or an old one of ours that may be written over. */
  | { readonly kind: "free" }
  /** Somebody else's. */
  | { readonly kind: "foreign" }
  | { readonly kind: "requested"; readonly pem: string }
  /** The signed certificate has taken the request's place. */
  | { readonly kind: "issued" };

/** @param name our name of the certificate that is wanted */
export function requestState(observed: Observed, name: string): RequestState {
  const row = fileIn(observed, REQUEST_FILE);
  if (!row) return fileIn(observed, KEY_FILE) ? { kind: "foreign" } : { kind: "free" };
  const pem = row.contents ?? "";
  const request = readRequest(pem);
  const unit = unitOf((request ?? readCertificate(pem))?.subjectName);
  if (unit === name) return request ? { kind: "requested", pem } : { kind: "issued" };
  return { kind: unit?.startsWith(PREFIX) ? "free" : "foreign" };
}

export function fileIn(observed: Observed, name: string) {
  return observed.get("/file")?.find((row) => row.name === name);
}

/** Router output is hostile: what does not read as a request is none. */
export function readRequest(pem: string): x509.Pkcs10CertificateRequest | undefined {
  return read(pem, "CERTIFICATE REQUEST", (text) => new x509.Pkcs10CertificateRequest(text));
}

function readCertificate(pem: string): x509.X509Certificate | undefined {
  return read(pem, "CERTIFICATE", (text) => new x509.X509Certificate(text));
}

/** The certificate is for the key that made the request. */
export function isFor(certificatePem: string, requestPem: string): boolean {
  const [certificate, request] = [readCertificate(certificatePem), readRequest(requestPem)];
  if (!certificate || !request) return false;
  return Buffer.from(certificate.publicKey.rawData).equals(Buffer.from(request.publicKey.rawData));
}

/** Larger than any request or certificate of ours. */
const MAX_CHARACTERS = 20_000;

function read<T>(pem: string, label: string, parse: (pem: string) => T): T | undefined {
  if (pem.length > MAX_CHARACTERS || !pem.includes(`-----BEGIN ${label}-----`)) return undefined;
  try {
    return parse(pem);
  } catch {
    return undefined;
  }
}

function unitOf(subject: x509.Name | undefined): string | undefined {
  return subject?.getField("OU")[0];
}

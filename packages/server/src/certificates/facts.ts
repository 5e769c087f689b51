/** What this module knows of a site. */
import type { ManagementTransport } from "@portreeve/api-schema";
import type { SiteCertificate } from "../database/index.ts";
import type { Secret } from "../vault/secret.ts";

/** This module among the contributors. */
export const CERTIFICATES = "certificates";

export type Transport = ManagementTransport;

export interface CertificateFacts {
  /** The service Portreeve uses, and the one the site's policy names. */
  readonly transport: Transport;
  readonly target: Transport;
  /** The policy opens api-ssl, to whomever. */
  readonly isOpen: boolean;
  /** The certificate is the operator's: it stays, and so does api-ssl. */
  readonly keepsCertificate: boolean;
  /** Where we connect to: an address or a host name. */
  readonly address: string;
  /** Grows with every renewal. */
  readonly number: number;
  /** Ours on the router, whose fingerprints are in the database. */
  readonly known: readonly SiteCertificate[];
  /** The fingerprint the router showed last. */
  readonly shown: string | null;
  /** Signs the customer's certificates; without one they are self-signed. */
  readonly authority: AuthorityFacts | undefined;
  /** The request for a certificate that is under way, or whose files are still to be removed. */
  readonly request: RequestFacts | undefined;
}

export interface AuthorityFacts {
  /** SHA-256, lower-case hexadecimal without colons. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly notAfter: Date;
}

export interface RequestFacts {
  /** Our name of the certificate it is for. */
  readonly name: string;
  /** Encrypts the key's file on the router. */
  readonly passphrase: Secret;
  /** The request found in the files' place is ours. */
  readonly isClear: boolean;
  /** PEM; null until it is signed. */
  readonly issued: string | null;
}

import { AsnConvert, type OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  KeyUsage,
  type Name,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { EXTENDED_USAGES, EXTENSION, SIGNATURES, SUBJECT, type Subject, USAGE_BITS } from "./names.ts";

/** What RouterOS shows of a certificate, read from the certificate. */
export interface CertificateFacts {
  readonly subject: Subject;
  readonly altNames: readonly string[];
  readonly keyUsage: readonly string[];
  readonly isCa: boolean;
  /** Hexadecimal; undefined where the certificate doesn't say. */
  readonly subjectKey: string | undefined;
  readonly authorityKey: string | undefined;
  /** undefined for an algorithm RouterOS has no name for. */
  readonly digest: string | undefined;
}

/**
 * Read an X.509 certificate in DER, RFC 5280.
 * @throws when it is none
 */
export function readCertificate(raw: Uint8Array): CertificateFacts {
  const { tbsCertificate } = AsnConvert.parse(raw, Certificate);
  const { subject, signature, extensions = [] } = tbsCertificate;
  const read = <T>(id: string, kind: new () => T): T | undefined => {
    const found = extensions.find(({ extnID }) => extnID === id);
    return found && AsnConvert.parse(found.extnValue, kind);
  };
  return {
    subject: subjectIn(subject),
    altNames: altNamesIn(read(EXTENSION.altNames, SubjectAlternativeName)),
    keyUsage: usagesIn(
      read(EXTENSION.keyUsage, KeyUsage),
      read(EXTENSION.extendedKeyUsage, ExtendedKeyUsage),
    ),
    isCa: read(EXTENSION.basicConstraints, BasicConstraints)?.cA ?? false,
    subjectKey: hex(read(EXTENSION.subjectKey, SubjectKeyIdentifier)),
    authorityKey: hex(read(EXTENSION.authorityKey, AuthorityKeyIdentifier)?.keyIdentifier),
    digest: digestOf(signature.algorithm),
  };
}

const hex = (octets: OctetString | undefined): string | undefined =>
  octets && Buffer.from(octets.buffer).toString("hex");

function subjectIn(name: Name): Subject {
  const attributes = name.flatMap((part) => part[0] ?? []);
  const known = Object.entries(SUBJECT).flatMap(([field, id]) => {
    const found = attributes.find(({ type }) => type === id);
    return found ? [[field, found.value.toString()]] : [];
  });
  return Object.fromEntries(known) as Subject;
}

const digestOf = (id: string): string | undefined =>
  Object.values(SIGNATURES)
    .flatMap((digests) => Object.entries(digests))
    .find(([, known]) => known === id)?.[0];

function usagesIn(usage: KeyUsage | undefined, extended: ExtendedKeyUsage | undefined): readonly string[] {
  const bits = usage?.toNumber() ?? 0;
  const plain = USAGE_BITS.filter((_, bit) => (bits & (1 << bit)) !== 0);
  const others = Object.entries(EXTENDED_USAGES).flatMap(([word, id]) =>
    extended?.includes(id) ? [word] : [],
  );
  return [...plain, ...others];
}

/** Kinds RouterOS has a word for. */
function altNamesIn(names: SubjectAlternativeName | undefined): readonly string[] {
  return (names ?? []).flatMap(({ dNSName, rfc822Name, iPAddress }) => {
    if (dNSName !== undefined) return [`DNS:${dNSName}`];
    if (rfc822Name !== undefined) return [`email:${rfc822Name}`];
    return iPAddress === undefined ? [] : [`IP:${iPAddress}`];
  });
}

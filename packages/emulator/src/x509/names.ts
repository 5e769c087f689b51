/** RouterOS's names of the parts of a subject, with the attribute each is written as. */
export const SUBJECT = {
  country: "2.5.4.6",
  state: "2.5.4.8",
  locality: "2.5.4.7",
  organization: "2.5.4.10",
  unit: "2.5.4.11",
  "common-name": "2.5.4.3",
} as const;

export type Subject = Readonly<Partial<Record<keyof typeof SUBJECT, string>>>;
export const SUBJECT_FIELDS = Object.keys(SUBJECT) as readonly (keyof Subject)[];

/** RouterOS's `key-usage`: bits of the key usage extension, RFC 5280, section 4.2.1.3. */
export const USAGE_BITS: readonly string[] = [
  "digital-signature",
  "content-commitment",
  "key-encipherment",
  "data-encipherment",
  "key-agreement",
  "key-cert-sign",
  "crl-sign",
  "encipher-only",
  "decipher-only",
];

/** The others are extended key usages, 4.2.1.12. */
export const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  "tls-server": "1.3.6.1.5.5.7.3.1",
  "tls-client": "1.3.6.1.5.5.7.3.2",
  "code-sign": "1.3.6.1.5.5.7.3.3",
  "email-protect": "1.3.6.1.5.5.7.3.4",
  timestamp: "1.3.6.1.5.5.7.3.8",
  "ocsp-sign": "1.3.6.1.5.5.7.3.9",
  dvcs: "1.3.6.1.5.5.7.3.10",
};

export const KEY_USAGES: readonly string[] = [...USAGE_BITS, ...Object.keys(EXTENDED_USAGES)];

/** Signature algorithms by kind of key and digest; RFC 8017 and RFC 5758. */
export const SIGNATURES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rsa: {
    md5: "1.2.840.113549.1.1.4",
    sha1: "1.2.840.113549.1.1.5",
    sha256: "1.2.840.113549.1.1.11",
    sha384: "1.2.840.113549.1.1.12",
    sha512: "1.2.840.113549.1.1.13",
  },
  ec: {
    sha1: "1.2.840.10045.4.1",
    sha256: "1.2.840.10045.4.3.2",
    sha384: "1.2.840.10045.4.3.3",
    sha512: "1.2.840.10045.4.3.4",
  },
};

/** Extensions, RFC 5280, section 4.2.1. */
export const EXTENSION = {
  subjectKey: "2.5.29.14",
  keyUsage: "2.5.29.15",
  altNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKey: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

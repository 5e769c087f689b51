import { createHash, type KeyObject, sign } from "node:crypto";
import ipaddr from "ipaddr.js";
import * as der from "./der.ts";

/** RouterOS's names of the parts of a subject, with the attribute each is written as. */
const SUBJECT = {
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
const USAGE_BITS: readonly string[] = [
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
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
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
const SIGNATURES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
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

export interface CertificateRequest {
  readonly subject: Subject;
  /** "DNS:router.example", "IP:192.0.2.1", "email:a@example" */
  readonly altNames: readonly string[];
  readonly keyUsage: readonly string[];
  readonly isCa: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** md5, sha1, sha256, sha384 or sha512 */
  readonly digest: string;
  readonly serial: Uint8Array;
  readonly publicKey: KeyObject;
}

/** Who signs; the certificate's own subject and keys for a self-signed one. */
export interface Signer {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * An X.509 version 3 certificate (RFC 5280), in DER.
 * @throws RangeError when the signer's kind of key has no signature with this digest, or an alternative name is none
 */
export function writeCertificate(request: CertificateRequest, signer: Signer): Buffer {
  const algorithm = signatureAlgorithm(signer.privateKey, request.digest);
  const version3 = der.explicit(0, der.integer(Buffer.of(2)));
  const body = der.sequence(
    version3,
    der.integer(request.serial),
    algorithm,
    name(signer.subject),
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    name(request.subject),
    request.publicKey.export({ format: "der", type: "spki" }),
    der.explicit(3, der.sequence(...extensions(request, signer))),
  );
  return der.sequence(body, algorithm, der.bits(sign(request.digest, body, signer.privateKey)));
}

function signatureAlgorithm(key: KeyObject, digest: string): Buffer {
  const kind = key.asymmetricKeyType ?? "";
  const id = SIGNATURES[kind]?.[digest];
  if (id === undefined) throw new RangeError(`no signature of ${kind} with ${digest}`);
  return kind === "rsa" ? der.sequence(der.oid(id), der.nothing) : der.sequence(der.oid(id));
}

function name(subject: Subject): Buffer {
  const parts = SUBJECT_FIELDS.filter((field) => subject[field]).map((field) => {
    const text = subject[field] ?? "";
    const value = field === "country" ? der.printable(text) : der.utf8(text);
    return der.set(der.sequence(der.oid(SUBJECT[field]), value));
  });
  return der.sequence(...parts);
}

function extensions(request: CertificateRequest, signer: Signer): readonly Buffer[] {
  const { altNames, isCa, keyUsage } = request;
  const usage = USAGE_BITS.flatMap((word, bit) => (keyUsage.includes(word) ? [bit] : []));
  const extended = keyUsage.flatMap((word) => EXTENDED_USAGES[word] ?? []);
  const all = [
    extension("2.5.29.19", der.sequence(...(isCa ? [der.yes] : [])), true),
    usage.length > 0 && extension("2.5.29.15", der.namedBits(usage), true),
    extended.length > 0 && extension("2.5.29.37", der.sequence(...extended.map(der.oid))),
    extension("2.5.29.14", der.octets(keyId(request.publicKey))),
    extension("2.5.29.35", der.sequence(der.implicit(0, keyId(signer.publicKey)))),
    altNames.length > 0 && extension("2.5.29.17", der.sequence(...altNames.map(altName))),
  ];
  return all.filter((one) => one !== false);
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.yes] : []), der.octets(value));
}

function altName(text: string): Buffer {
  const [, kind = "", value = ""] = /^(\w+):(.+)$/.exec(text) ?? [];
  if (kind === "DNS") return der.implicit(2, der.ia5(value));
  if (kind === "email") return der.implicit(1, der.ia5(value));
  if (kind === "IP" && ipaddr.isValid(value)) {
    return der.implicit(7, Buffer.from(ipaddr.parse(value).toByteArray()));
  }
  throw new RangeError(`${text} is no alternative name`);
}

/** SHA-1 of the public key's bits, RFC 5280's first method: what a certificate calls its key. */
export function keyId(key: KeyObject): Buffer {
  const spki = key.export({ format: "der", type: "spki" });
  return createHash("sha1").update(publicBits(spki)).digest();
}

/** The bit string that ends a SubjectPublicKeyInfo: behind the algorithm, without tag, length and unused bits. */
function publicBits(spki: Buffer): Buffer {
  const body = spki.subarray(headLength(spki));
  const algorithm = headLength(body) + contentLength(body);
  const bitString = body.subarray(algorithm);
  return bitString.subarray(headLength(bitString) + 1);
}

const headLength = (value: Buffer): number => ((value[1] ?? 0) < 0x80 ? 2 : 2 + ((value[1] ?? 0) & 0x7f));

function contentLength(value: Buffer): number {
  const first = value[1] ?? 0;
  return first < 0x80 ? first : value.readUIntBE(2, first & 0x7f);
}

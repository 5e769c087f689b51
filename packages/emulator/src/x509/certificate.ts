import { createHash, type KeyObject, sign } from "node:crypto";
import ipaddr from "ipaddr.js";
import * as der from "./der.ts";
import {
  EXTENDED_USAGES,
  EXTENSION,
  SIGNATURES,
  SUBJECT,
  SUBJECT_FIELDS,
  type Subject,
  USAGE_BITS,
} from "./names.ts";

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

/** Who signs; the certificate's own name and keys for a self-signed one. */
export interface Signer {
  /** Its subject as it is in its certificate, DER. */
  readonly name: Buffer;
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
    signer.name,
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    nameOf(request.subject),
    request.publicKey.export({ format: "der", type: "spki" }),
    der.explicit(3, der.sequence(...extensions(request, signer))),
  );
  return der.sequence(body, algorithm, der.bits(sign(request.digest, body, signer.privateKey)));
}

/**
 * A request for a certificate, PKCS #10 (RFC 2986), in DER.
 * @param asked.challenge password the signer may ask for; asked.unstructuredAddress as RouterOS before 7.22 has it
 * @throws RangeError as `writeCertificate`
 */
export function writeRequest(
  request: Pick<CertificateRequest, "subject" | "altNames" | "keyUsage" | "digest" | "publicKey">,
  privateKey: KeyObject,
  asked: { readonly challenge?: string | undefined; readonly unstructuredAddress?: string | undefined },
): Buffer {
  const algorithm = signatureAlgorithm(privateKey, request.digest);
  const extensions = usageExtensions(request);
  const { challenge, unstructuredAddress } = asked;
  const attributes = [
    ...(challenge ? [attribute("1.2.840.113549.1.9.7", der.utf8(challenge))] : []),
    ...(unstructuredAddress ? [attribute("1.2.840.113549.1.9.8", der.utf8(unstructuredAddress))] : []),
    ...(extensions.length > 0 ? [attribute("1.2.840.113549.1.9.14", der.sequence(...extensions))] : []),
  ];
  const body = der.sequence(
    der.integer(Buffer.of(0)),
    nameOf(request.subject),
    request.publicKey.export({ format: "der", type: "spki" }),
    // A set is in the order of its bytes, X.690 section 11.6.
    der.explicit(0, Buffer.concat(attributes.toSorted(Buffer.compare))),
  );
  return der.sequence(body, algorithm, der.bits(sign(request.digest, body, privateKey)));
}

const attribute = (id: string, value: Buffer): Buffer => der.sequence(der.oid(id), der.set(value));

function signatureAlgorithm(key: KeyObject, digest: string): Buffer {
  const kind = key.asymmetricKeyType ?? "";
  const id = SIGNATURES[kind]?.[digest];
  if (id === undefined) throw new RangeError(`no signature of ${kind} with ${digest}`);
  return kind === "rsa" ? der.sequence(der.oid(id), der.nothing) : der.sequence(der.oid(id));
}

/** A subject as its certificate has it, DER. */
export function nameOf(subject: Subject): Buffer {
  const parts = SUBJECT_FIELDS.filter((field) => subject[field]).map((field) => {
    const text = subject[field] ?? "";
    const value = field === "country" ? der.printable(text) : der.utf8(text);
    return der.set(der.sequence(der.oid(SUBJECT[field]), value));
  });
  return der.sequence(...parts);
}

function extensions(request: CertificateRequest, signer: Signer): readonly Buffer[] {
  return [
    extension(EXTENSION.basicConstraints, der.sequence(...(request.isCa ? [der.yes] : [])), true),
    extension(EXTENSION.subjectKey, der.octets(keyId(request.publicKey))),
    extension(EXTENSION.authorityKey, der.sequence(der.implicit(0, keyId(signer.publicKey)))),
    ...usageExtensions(request),
  ];
}

/** What a certificate is for and whose: the part of the extensions a request has too. */
function usageExtensions({
  altNames,
  keyUsage,
}: Pick<CertificateRequest, "altNames" | "keyUsage">): readonly Buffer[] {
  const usage = USAGE_BITS.flatMap((word, bit) => (keyUsage.includes(word) ? [bit] : []));
  const extended = keyUsage.flatMap((word) => EXTENDED_USAGES[word] ?? []);
  const all = [
    usage.length > 0 && extension(EXTENSION.keyUsage, der.namedBits(usage), true),
    extended.length > 0 && extension(EXTENSION.extendedKeyUsage, der.sequence(...extended.map(der.oid))),
    altNames.length > 0 && extension(EXTENSION.altNames, der.sequence(...altNames.map(altName))),
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

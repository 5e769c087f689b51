import { createHash, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  DirectoryString,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyUsage,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import {
  EXTENDED_USAGES,
  EXTENSION,
  SIGNATURES,
  SUBJECT,
  SUBJECT_FIELDS,
  type Subject,
  USAGE_BITS,
} from "./names.ts";

/*
 * The structures are the library's, the signature is OpenSSL's: RouterOS signs with MD5 and with keys of 1024 bits, and
 * WebCrypto, which `@peculiar/x509` signs with, has no MD5.
 */

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

/** What a request says besides the certificate it asks for. */
export interface RequestAttributes {
  /** A password the signer may ask for. */
  readonly challenge?: string | undefined;
  /** As RouterOS before 7.22 has it. */
  readonly unstructuredAddress?: string | undefined;
}

/** Who signs; without it a certificate signs itself. */
export interface Signer {
  /** Its certificate, DER. */
  readonly certificate: Uint8Array | undefined;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * An X.509 version 3 certificate (RFC 5280), in DER.
 * @throws RangeError when the signer's kind of key has no signature with this digest, or an alternative name is none
 */
export function writeCertificate(request: CertificateRequest, signer: Signer): Buffer {
  const algorithm = signatureAlgorithm(signer.privateKey, request.digest);
  const subject = nameOf(request.subject);
  const { certificate } = signer;
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: positive(request.serial),
    signature: algorithm,
    issuer: certificate ? AsnConvert.parse(certificate, Certificate).tbsCertificate.subject : subject,
    validity: new Validity({ notBefore: request.notBefore, notAfter: request.notAfter }),
    subject,
    subjectPublicKeyInfo: keyInfo(request.publicKey),
    extensions: new Extensions(extensions(request, signer)),
  });
  const signatureValue = signed(AsnConvert.serialize(tbsCertificate), request.digest, signer.privateKey);
  return bytes(new Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue }));
}

/**
 * A request for a certificate, PKCS #10 (RFC 2986), in DER.
 * @throws RangeError as `writeCertificate`
 */
export function writeRequest(
  request: Pick<CertificateRequest, "subject" | "altNames" | "keyUsage" | "digest" | "publicKey">,
  privateKey: KeyObject,
  asked: RequestAttributes,
): Buffer {
  const usages = usageExtensions(request);
  const { challenge, unstructuredAddress } = asked;
  const attributes = [
    ...(challenge ? [attribute("1.2.840.113549.1.9.7", text(challenge))] : []),
    ...(unstructuredAddress ? [attribute("1.2.840.113549.1.9.8", text(unstructuredAddress))] : []),
    ...(usages.length > 0 ? [attribute("1.2.840.113549.1.9.14", new Extensions(usages))] : []),
  ];
  const certificationRequestInfo = new CertificationRequestInfo({
    subject: nameOf(request.subject),
    subjectPKInfo: keyInfo(request.publicKey),
    // A set is in the order of its bytes, X.690 section 11.6.
    attributes: new Attributes(attributes.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)))),
  });
  const body = AsnConvert.serialize(certificationRequestInfo);
  return bytes(
    new CertificationRequest({
      certificationRequestInfo,
      signatureAlgorithm: signatureAlgorithm(privateKey, request.digest),
      signature: signed(body, request.digest, privateKey),
    }),
  );
}

const bytes = (value: object): Buffer => Buffer.from(AsnConvert.serialize(value));

const text = (utf8String: string): DirectoryString => new DirectoryString({ utf8String });

const attribute = (type: string, value: object): Attribute =>
  new Attribute({ type, values: [AsnConvert.serialize(value)] });

const signed = (body: ArrayBuffer, digest: string, key: KeyObject): ArrayBuffer =>
  arrayBuffer(sign(digest, Buffer.from(body), key));

const arrayBuffer = (content: Uint8Array): ArrayBuffer => Uint8Array.from(content).buffer;

/** Never negative, which its first bit would make it, and without zeros in front. */
function positive(serial: Uint8Array): ArrayBuffer {
  const start = serial.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.of(0) : serial.subarray(start);
  return arrayBuffer((digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]));
}

function signatureAlgorithm(key: KeyObject, digest: string): AlgorithmIdentifier {
  const kind = key.asymmetricKeyType ?? "";
  const algorithm = SIGNATURES[kind]?.[digest];
  if (algorithm === undefined) throw new RangeError(`no signature of ${kind} with ${digest}`);
  return new AlgorithmIdentifier({ algorithm, ...(kind === "rsa" ? { parameters: null } : {}) });
}

/** Each part of a subject in a set of its own, in RouterOS's order. */
function nameOf(subject: Subject): Name {
  const parts = SUBJECT_FIELDS.filter((field) => subject[field]).map((field) => {
    const content = subject[field] ?? "";
    const value = new AttributeValue(
      field === "country" ? { printableString: content } : { utf8String: content },
    );
    return new RelativeDistinguishedName([new AttributeTypeAndValue({ type: SUBJECT[field], value })]);
  });
  return new Name(parts);
}

function keyInfo(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(key.export({ format: "der", type: "spki" }), SubjectPublicKeyInfo);
}

function extensions(request: CertificateRequest, signer: Signer): Extension[] {
  const keyIdentifier = new OctetString(keyId(signer.publicKey));
  return [
    extension(EXTENSION.basicConstraints, new BasicConstraints({ cA: request.isCa }), true),
    extension(EXTENSION.subjectKey, new SubjectKeyIdentifier(keyId(request.publicKey))),
    extension(EXTENSION.authorityKey, new AuthorityKeyIdentifier({ keyIdentifier })),
    ...usageExtensions(request),
  ];
}

/** What a certificate is for and whose: the part of the extensions a request has too. */
function usageExtensions({
  altNames,
  keyUsage,
}: Pick<CertificateRequest, "altNames" | "keyUsage">): Extension[] {
  const usage = USAGE_BITS.reduce((sum, word, bit) => sum + (keyUsage.includes(word) ? 1 << bit : 0), 0);
  const extended = keyUsage.flatMap((word) => EXTENDED_USAGES[word] ?? []);
  const names = altNames.map(altName);
  const all = [
    usage > 0 && extension(EXTENSION.keyUsage, new KeyUsage(usage), true),
    extended.length > 0 && extension(EXTENSION.extendedKeyUsage, new ExtendedKeyUsage(extended)),
    names.length > 0 && extension(EXTENSION.altNames, new SubjectAlternativeName(names)),
  ];
  return all.filter((one) => one !== false);
}

const extension = (extnID: string, value: object, critical = false): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

function altName(written: string): GeneralName {
  const [, kind = "", value = ""] = /^(\w+):(.+)$/.exec(written) ?? [];
  if (kind === "DNS") return new GeneralName({ dNSName: value });
  if (kind === "email") return new GeneralName({ rfc822Name: value });
  if (kind === "IP" && isIP(value) !== 0) return new GeneralName({ iPAddress: value });
  throw new RangeError(`${written} is no alternative name`);
}

/** SHA-1 of the public key's bits, RFC 5280's first method: what a certificate calls its key. */
export function keyId(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(Buffer.from(keyInfo(key).subjectPublicKey))
    .digest();
}

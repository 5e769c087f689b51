import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import { formatTime } from "./clock.ts";
import { refusals } from "./refusal.ts";
import type { Router } from "./router.ts";
import type { Item } from "./table.ts";
import {
  type CertificateRequest,
  keyId,
  type Signer,
  SUBJECT_FIELDS,
  type Subject,
  writeCertificate,
} from "./x509/certificate.ts";

const generate = promisify(generateKeyPair);

/**
 * What a row of `/certificate` keeps besides its properties: the certificate and its private key, PEM. No field has
 * these names, so that no command reads or writes them.
 */
const PEM = "%certificate";
const KEY = "%key";

/** End of its validity, milliseconds since 1970. */
const AFTER = "%not-after";

/** When a signed certificate can be referred to; at once for all others. */
const usableAt = new WeakMap<Item, number>();

export const isSigned = (item: Item): boolean => item.values[PEM] !== undefined;

/** Certificate and key of a row, PEM; undefined for a template, or one that came without its key. */
export function pemOf(item: Item): { cert: string; key: string | undefined } | undefined {
  const { [PEM]: cert, [KEY]: key } = item.values;
  return cert === undefined ? undefined : { cert, key };
}

/** A certificate other commands can name: signed, with its key, and past the moment RouterOS needs after signing. */
export function usableCertificate(router: Router, name: string | undefined): Item | undefined {
  const item = router.table("/certificate").items.find(({ values }) => values.name === name);
  if (!item || pemOf(item)?.key === undefined) return undefined;
  return (usableAt.get(item) ?? 0) <= router.clock.running() ? item : undefined;
}

/**
 * Sign a template: the row that comes of it takes its place. Without `ca` it signs itself and becomes an authority.
 * @throws Refusal `input does not match any value of ca`
 */
export async function signTemplate(router: Router, template: Item, ca: string | undefined): Promise<Item> {
  const authority = ca === undefined ? undefined : usableCertificate(router, ca);
  if (ca !== undefined && authority?.values.authority !== "true") throw refusals.noMatch("ca");
  const { publicKey, privateKey } = await newKeys(template.values["key-size"] ?? "2048");
  const request = requestOf(router, template, publicKey, authority === undefined);
  const signer = authority ? signerOf(authority) : { subject: request.subject, publicKey, privateKey };
  const pem = toPem(writeCertificate(request, signer));
  const values = {
    ...template.values,
    ...describe(router, pem, signer.publicKey),
    [KEY]: privateKey.export({ format: "pem", type: "pkcs8" }) as string,
    "private-key": "true",
    authority: String(request.isCa),
    // Without `ca` the flags are K A T: private key, authority, trusted.
    trusted: authority ? (template.values.trusted ?? "false") : "true",
    ...(ca === undefined ? {} : { ca, issued: "true" }),
  };
  const table = router.table("/certificate");
  table.remove(template);
  const item = table.add(values);
  const lateMs = router.faults.takeForCertificate()?.ms;
  if (lateMs !== undefined) usableAt.set(item, router.clock.running() + lateMs);
  return item;
}

/** RouterOS's `key-size`: bits of an RSA key, or a curve. */
async function newKeys(size: string): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  if (/^\d+$/.test(size)) return generate("rsa", { modulusLength: Number(size) });
  return generate("ec", { namedCurve: size });
}

function requestOf(
  router: Router,
  { values }: Item,
  publicKey: KeyObject,
  self: boolean,
): CertificateRequest {
  const keyUsage = (values["key-usage"] ?? "").split(",");
  const dayMs = 86_400_000;
  const now = Math.floor(router.clock.now() / 1000) * 1000;
  const serial = Buffer.from(router.randomBytes(8));
  return {
    subject: subjectOf(values),
    altNames: (values["subject-alt-name"] ?? "").split(",").filter((name) => name !== ""),
    keyUsage,
    isCa: self || keyUsage.includes("key-cert-sign"),
    notBefore: new Date(now),
    notAfter: new Date(now + Number(values["days-valid"]) * dayMs),
    digest: values["digest-algorithm"] ?? "sha256",
    serial,
    publicKey,
  };
}

const subjectOf = (values: Readonly<Record<string, string>>): Subject =>
  Object.fromEntries(SUBJECT_FIELDS.flatMap((field) => (values[field] ? [[field, values[field]]] : [])));

function signerOf({ values }: Item): Signer {
  const privateKey = createPrivateKey(values[KEY] ?? "");
  return { subject: subjectOf(values), privateKey, publicKey: createPublicKey(privateKey) };
}

const toPem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/(.{64})(?=.)/g, "$1\n")}\n-----END CERTIFICATE-----\n`;

/** Properties a signed certificate shows, read from the certificate itself. */
function describe(router: Router, pem: string, signedBy: KeyObject): Record<string, string> {
  const certificate = new X509Certificate(pem);
  const iso = router.features.isoDates;
  const { publicKey } = certificate;
  return {
    [PEM]: pem,
    [AFTER]: String(certificate.validToDate.getTime()),
    "serial-number": certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    skid: keyId(publicKey).toString("hex"),
    akid: keyId(signedBy).toString("hex"),
    "key-type": publicKey.asymmetricKeyType ?? "",
    "invalid-before": formatTime(certificate.validFromDate.getTime(), iso),
    "invalid-after": formatTime(certificate.validToDate.getTime(), iso),
  };
}

/** Milliseconds the certificate is still valid; negative afterwards, undefined for a template. */
export function validForMs(router: Router, { values }: Item): number | undefined {
  const after = values[AFTER];
  return after === undefined ? undefined : Number(after) - router.clock.now();
}

import {
  createHash,
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
import type { CertificateRequest, RequestAttributes, Signer } from "./x509/certificate.ts";
import { KEY_USAGES, SUBJECT_FIELDS, type Subject } from "./x509/names.ts";

const generate = promisify(generateKeyPair);
/** Loaded when the first certificate is made or read: most routers never have one, and the library takes a while. */
const writing = () => import("./x509/certificate.ts");
const reading = () => import("./x509/read.ts");
const DAY_MS = 86_400_000;

/**
 * What a row of `/certificate` keeps besides its properties: the certificate and its private key, PEM. No field has
 * these names, so that no command reads or writes them.
 */
const PEM = "%certificate";
const KEY = "%key";

/** End of its validity, milliseconds since 1970. */
const AFTER = "%not-after";

/** Its private key stays on the router. */
const KEEPS_KEY = "%no-key-export";

/** When a signed certificate can be referred to, on the clock that runs on; at once for all others. */
const usableAt = new WeakMap<Item, number>();

export const isSigned = (item: Item): boolean => item.values[PEM] !== undefined;

/** Certificate and key of a row, PEM; undefined for a template. */
export function pemOf(item: Item): { cert: string; key: string | undefined } | undefined {
  const { [PEM]: cert, [KEY]: key } = item.values;
  return cert === undefined ? undefined : { cert, key };
}

export const keepsKey = (item: Item): boolean => item.values[KEEPS_KEY] === "true";

/** A certificate other commands can name: signed, with its key, and past the moment RouterOS needs after signing. */
export function usableCertificate(router: Router, name: string | undefined): Item | undefined {
  const item = router.table("/certificate").items.find(({ values }) => values.name === name);
  if (!item || pemOf(item)?.key === undefined) return undefined;
  return (usableAt.get(item) ?? 0) <= router.clock.running() ? item : undefined;
}

/** The certificate and those between it and its root, as far as the router has them: what a TLS service sends, PEM. */
export function chainOf(router: Router, item: Item): string {
  const known = router.table("/certificate").items.flatMap((other) => pemOf(other)?.cert ?? []);
  const chain = [pemOf(item)?.cert ?? ""];
  for (;;) {
    const last = new X509Certificate(chain.at(-1) ?? "");
    const isIssuer = (pem: string) => {
      const issuer = new X509Certificate(pem);
      return last.checkIssued(issuer) && last.verify(issuer.publicKey);
    };
    const next = known.find((pem) => !chain.includes(pem) && isIssuer(pem));
    if (next === undefined) break;
    chain.push(next);
  }
  // The root itself is the client's business.
  const isRoot = (pem: string) => new X509Certificate(pem).checkIssued(new X509Certificate(pem));
  return chain.filter((pem, at) => at === 0 || !isRoot(pem)).join("");
}

/**
 * Sign a template: the row that comes of it takes its place. Without `ca` it signs itself and becomes an authority.
 * @throws Refusal `input does not match any value of ca`
 */
export async function signTemplate(router: Router, template: Item, ca: string | undefined): Promise<Item> {
  const authority = ca === undefined ? undefined : usableCertificate(router, ca);
  if (ca !== undefined && authority?.values.authority !== "true") throw refusals.noMatch("ca");
  const { publicKey, privateKey } = await newKeys(template);
  const request = requestOf(router, template, publicKey, authority === undefined);
  const signer = authority ? signerOf(authority) : { certificate: undefined, publicKey, privateKey };
  const { writeCertificate } = await writing();
  const pem = toPem("CERTIFICATE", writeCertificate(request, signer));
  const values = {
    ...template.values,
    ...(await describe(router, pem)),
    ...withKey(privateKey),
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

/** A request made of a template and the key made for it; the template stays as it is. */
export async function requestFrom(
  template: Item,
  asked: RequestAttributes,
): Promise<{ readonly request: string; readonly privateKey: KeyObject }> {
  const { publicKey, privateKey } = await newKeys(template);
  const request = { ...wishesOf(template), publicKey };
  const { writeRequest } = await writing();
  return { request: toPem("CERTIFICATE REQUEST", writeRequest(request, privateKey, asked)), privateKey };
}

/** RouterOS's `key-size`: bits of an RSA key, or a curve. */
async function newKeys({ values }: Item): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  const { "key-size": size = "2048" } = values;
  if (/^\d+$/.test(size)) return generate("rsa", { modulusLength: Number(size) });
  return generate("ec", { namedCurve: size });
}

/** What a template says the certificate is to be. */
function wishesOf({ values }: Item) {
  return {
    subject: subjectOf(values),
    altNames: listIn(values["subject-alt-name"]),
    keyUsage: listIn(values["key-usage"]),
    digest: values["digest-algorithm"] ?? "sha256",
  };
}

const listIn = (text = ""): readonly string[] => text.split(",").filter((word) => word !== "");

function requestOf(router: Router, item: Item, publicKey: KeyObject, self: boolean): CertificateRequest {
  const wishes = wishesOf(item);
  const now = Math.floor(router.clock.now() / 1000) * 1000;
  return {
    ...wishes,
    isCa: self || wishes.keyUsage.includes("key-cert-sign"),
    notBefore: new Date(now),
    notAfter: new Date(now + Number(item.values["days-valid"]) * DAY_MS),
    serial: Buffer.from(router.randomBytes(8)),
    publicKey,
  };
}

const subjectOf = (values: Readonly<Record<string, string>>): Subject =>
  Object.fromEntries(SUBJECT_FIELDS.flatMap((field) => (values[field] ? [[field, values[field]]] : [])));

function signerOf(item: Item): Signer {
  const { cert = "", key = "" } = pemOf(item) ?? {};
  const privateKey = createPrivateKey(key);
  return { certificate: new X509Certificate(cert).raw, privateKey, publicKey: createPublicKey(privateKey) };
}

const toPem = (what: string, der: Buffer): string =>
  `-----BEGIN ${what}-----\n${der.toString("base64").replace(/(.{64})(?=.)/g, "$1\n")}\n-----END ${what}-----\n`;

/** What a row has of its private key. */
export const withKey = (key: KeyObject): Readonly<Record<string, string>> => ({
  [KEY]: key.export({ format: "pem", type: "pkcs8" }) as string,
  "private-key": "true",
});

/** Let the key of a row stay on the router. */
export const keepingKey = { [KEEPS_KEY]: "true" } as const;

/**
 * Properties a certificate shows, read from the certificate itself.
 * @throws when it is none
 */
export async function describe(router: Router, pem: string): Promise<Record<string, string>> {
  const certificate = new X509Certificate(pem);
  const [{ readCertificate }, { keyId }] = await Promise.all([reading(), writing()]);
  const facts = readCertificate(certificate.raw);
  const iso = router.features.isoDates;
  const { publicKey, validFromDate, validToDate } = certificate;
  const days = Math.round((validToDate.getTime() - validFromDate.getTime()) / DAY_MS);
  return {
    [PEM]: pem,
    [AFTER]: String(validToDate.getTime()),
    ...facts.subject,
    issuer: certificate.issuer.split("\n").join(","),
    "digest-algorithm": facts.digest ?? "",
    "key-type": publicKey.asymmetricKeyType ?? "",
    "key-size": keySize(publicKey),
    "subject-alt-name": facts.altNames.join(","),
    "days-valid": String(days),
    "key-usage": KEY_USAGES.filter((word) => facts.keyUsage.includes(word)).join(","),
    authority: String(facts.isCa),
    "serial-number": certificate.serialNumber,
    fingerprint: createHash("sha256").update(certificate.raw).digest("hex"),
    skid: facts.subjectKey ?? keyId(publicKey).toString("hex"),
    ...(facts.authorityKey === undefined ? {} : { akid: facts.authorityKey }),
    "invalid-before": formatTime(validFromDate.getTime(), iso),
    "invalid-after": formatTime(validToDate.getTime(), iso),
  };
}

function keySize(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return modulusLength === undefined ? (namedCurve ?? "") : String(modulusLength);
}

/** Milliseconds the certificate is still valid; negative afterwards, undefined for a template. */
export function validForMs(router: Router, { values }: Item): number | undefined {
  const after = values[AFTER];
  return after === undefined ? undefined : Number(after) - router.clock.now();
}

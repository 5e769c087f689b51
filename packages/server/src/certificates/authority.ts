/** A customer's certificate authority: what is taken for one, and what it signs. */
import { createPrivateKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { Secret } from "../vault/index.ts";
import { readRequest } from "./request.ts";
import * as x509 from "./x509.ts";

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
/** Routers' clocks are not always right. */
const BACKDATED_MS = DAY_MS;

/** What is wrong with a certificate or key somebody gave. */
export class AuthorityInputError extends Error {
  override readonly name = "AuthorityInputError";
  readonly field: "certificate" | "private_key";
  constructor(field: "certificate" | "private_key", problem: string) {
    super(problem);
    this.field = field;
  }
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256, lower-case hexadecimal without colons. */
  readonly fingerprint: string;
  /** As X.509 has it: `CN=Example CA,O=Example`. */
  readonly subject: string;
  readonly notAfter: Date;
  /** PKCS #8, PEM. */
  readonly privateKey: Secret;
}

/**
 * Check that this is the certificate of an authority and its key.
 * @param now for the end of its validity
 * @throws AuthorityInputError
 */
export function readAuthority(certificatePem: string, privateKeyPem: string, now: Date): Authority {
  const certificate = readCertificate(certificatePem);
  const usages = new x509.X509Certificate(certificate.raw).getExtension(x509.KeyUsagesExtension)?.usages;
  if (usages !== undefined && (usages & x509.KeyUsageFlags.keyCertSign) === 0)
    throw new AuthorityInputError(
      "certificate",
      "may not sign certificates: the key usage keyCertSign is missing",
    );
  if (!certificate.ca)
    throw new AuthorityInputError("certificate", "is not an authority's: CA:TRUE is missing");
  if (certificate.validToDate <= now) throw new AuthorityInputError("certificate", "has ended");
  const key = readPrivateKey(privateKeyPem);
  if (!certificate.checkPrivateKey(key))
    throw new AuthorityInputError("private_key", "is not the key of this certificate");
  signing(key);
  return {
    certificate: certificate.toString(),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    subject: certificate.subject.split("\n").toReversed().join(","),
    notAfter: certificate.validToDate,
    privateKey: new Secret(key.export({ format: "pem", type: "pkcs8" }) as string),
  };
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new AuthorityInputError("certificate", "must be one certificate in PEM");
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new AuthorityInputError("private_key", "must be a private key in PEM, without a passphrase");
  }
}

/** How WebCrypto signs with this key. @throws AuthorityInputError a kind of key RouterOS's clients don't know */
function signing(key: KeyObject): webcrypto.EcKeyImportParams & { hash: string } {
  const { namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const curve = CURVES[namedCurve];
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", namedCurve: "" };
  if (curve) return { name: "ECDSA", ...curve };
  throw new AuthorityInputError("private_key", "must be RSA, or a curve of P-256, P-384 and P-521");
}

const CURVES: Readonly<Record<string, { namedCurve: string; hash: string }>> = {
  prime256v1: { namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { namedCurve: "P-384", hash: "SHA-384" },
  secp521r1: { namedCurve: "P-521", hash: "SHA-512" },
};

/**
 * Sign a router's request. Of the request only the key counts: what the certificate says is ours to say.
 * @param name our name of the certificate, as its organizational unit
 * @returns PEM
 * @throws Error the request has not been signed with the key it names
 */
export async function issue(
  requestPem: string,
  { name, address, commonName }: { name: string; address: string; commonName: string },
  authority: { readonly certificate: string; readonly privateKey: Secret },
  now: Date,
): Promise<string> {
  const request = readRequest(requestPem);
  if (!request || !(await request.verify()))
    throw new Error("the router's request is not signed by its own key");
  const issuer = new x509.X509Certificate(authority.certificate);
  const key = createPrivateKey(authority.privateKey.reveal());
  const algorithm = signing(key);
  const der = key.export({ format: "der", type: "pkcs8" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const end = Math.min(now.getTime() + VALID_DAYS * DAY_MS, issuer.notAfter.getTime());
  const signed = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ OU: [name] }, { CN: [commonName] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(end),
    publicKey: request.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: isIP(address) ? "ip" : "dns", value: address }]),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return signed.toString("pem");
}

/** Positive, 127 bits at random. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { AuthorityInputError, issue, readAuthority } from "./authority.ts";
import { isFor, readRequest, requestState } from "./request.ts";
import * as x509 from "./x509.ts";

const NOW = new Date("2026-11-26T12:00:00Z");
const DAY_MS = 86_400_000;
type Algorithm = RsaHashedKeyGenParams | EcKeyGenParams;
type RsaHashedKeyGenParams = {
  name: string;
  hash: string;
  modulusLength: number;
  publicExponent: Uint8Array<ArrayBuffer>;
};
type EcKeyGenParams = { name: string; namedCurve: string };

const RSA: Algorithm = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const curve = (namedCurve: string): Algorithm => ({ name: "ECDSA", namedCurve });

async function keysOf(algorithm: Algorithm) {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** An authority until this many days from now. */
async function authorityOf(algorithm: Algorithm, days = 400) {
  const keys = await keysOf(algorithm);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ O: ["Example"] }, { CN: ["Ümlaut, CA"] }],
    notBefore: new Date(NOW.getTime() - DAY_MS),
    notAfter: new Date(NOW.getTime() + days * DAY_MS),
    keys,
    signingAlgorithm: { hash: "SHA-256" },
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  return readAuthority(certificate.toString("pem"), key, NOW);
}

async function requestOf(unit: string, algorithm: Algorithm = RSA) {
  const keys = await keysOf(algorithm);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ OU: [unit] }, { CN: ["somebody.example"] }],
    keys,
    signingAlgorithm: { hash: "SHA-256" },
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return request.toString("pem");
}

const WANTED = { name: "portreeve-1", address: "192.0.2.1", commonName: "192.0.2.1" };

test.each([
  ["RSA", RSA],
  ["P-256", curve("P-256")],
  ["P-384", curve("P-384")],
  ["P-521", curve("P-521")],
])(
  "an authority with a key of %s signs, and what it signs is for a TLS server of this address alone",
  async (_name, algorithm) => {
    const authority = await authorityOf(algorithm);
    const request = await requestOf("portreeve-1");
    const pem = await issue(request, WANTED, authority, NOW);
    const certificate = new X509Certificate(pem);
    const issuer = new X509Certificate(authority.certificate);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.subjectAltName).toBe("IP Address:192.0.2.1");
    expect(certificate.subject).toBe("OU=portreeve-1\nCN=192.0.2.1");
    expect(certificate.validToDate.getTime()).toBe(NOW.getTime() + 365 * DAY_MS);
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(isFor(pem, request)).toBe(true);
    expect(isFor(pem, await requestOf("portreeve-1"))).toBe(false);
  },
);

test("a certificate does not outlive its authority, and names a host where the site has a name", async () => {
  const authority = await authorityOf(curve("P-256"), 100);
  const named = { name: "portreeve-1", address: "router.example", commonName: "router.example" };
  const certificate = new X509Certificate(await issue(await requestOf("x"), named, authority, NOW));
  expect(certificate.validToDate).toEqual(authority.notAfter);
  expect(certificate.checkHost("router.example")).toBe("router.example");
  const six = { ...named, address: "2001:db8::1" };
  const other = new X509Certificate(await issue(await requestOf("x"), six, authority, NOW));
  expect(other.checkIP("2001:db8::1")).toBe("2001:db8::1");
});

test("a request that its own key has not signed is refused", async () => {
  const authority = await authorityOf(curve("P-256"));
  const bytes = Buffer.from(
    (await requestOf("x", curve("P-256"))).split("\n").slice(1, -1).join(""),
    "base64",
  );
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----`;
  await expect(issue(forged, WANTED, authority, NOW)).rejects.toThrow("not signed by its own key");
});

test("an authority that has ended is none any more", async () => {
  await expect(authorityOf(curve("P-256"), -0.5)).rejects.toThrow(AuthorityInputError);
});

test("an authority's subject is shown in one line", async () => {
  expect((await authorityOf(curve("P-256"))).subject).toBe("CN=Ümlaut\\, CA,O=Example");
});

test.each([
  ["nothing", ""],
  ["text", "hello"],
  ["control characters", "\u001b[2J-----BEGIN CERTIFICATE REQUEST-----\u0000"],
  ["a request cut short", "-----BEGIN CERTIFICATE REQUEST-----\nMIIC\n-----END CERTIFICATE REQUEST-----"],
  ["a megabyte", `-----BEGIN CERTIFICATE REQUEST-----\n${"A".repeat(1_000_000)}`],
  ["a certificate with nobody's name", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"],
])("a file that holds %s is somebody else's", (_what, contents) => {
  const observed = new Map([["/file", [{ name: "certificate-request.pem", contents }]]]);
  expect(readRequest(contents)).toBeUndefined();
  expect(requestState(observed, "portreeve-1")).toEqual({ kind: "foreign" });
});

test("a request is told by the name it was made for", async () => {
  const pem = await requestOf("portreeve-1", curve("P-256"));
  const observed = new Map([["/file", [{ name: "certificate-request.pem", contents: pem }]]]);
  expect(requestState(observed, "portreeve-1")).toEqual({ kind: "requested", pem });
  expect(requestState(observed, "portreeve-2")).toEqual({ kind: "free" });
  expect(requestState(new Map([["/file", []]]), "portreeve-1")).toEqual({ kind: "free" });
});

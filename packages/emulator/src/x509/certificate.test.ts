import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { type CertificateRequest, writeCertificate } from "./certificate.ts";
import { readCertificate } from "./read.ts";

const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 });

function written(wishes: Partial<CertificateRequest>, { publicKey, privateKey } = keys): X509Certificate {
  const request: CertificateRequest = {
    ...{ subject: { "common-name": "x" }, altNames: [], keyUsage: [], isCa: false, digest: "sha256" },
    ...{
      notBefore: new Date("2026-01-01"),
      notAfter: new Date("2027-01-01"),
      serial: Buffer.of(1),
      publicKey,
    },
    ...wishes,
  };
  return new X509Certificate(writeCertificate(request, { certificate: undefined, publicKey, privateKey }));
}

test.each([
  [[0, 0, 0x80], "80"],
  [[0, 5], "05"],
  [[0xff, 0xff], "FFFF"],
  [[0], "0"],
])("a serial number of the bytes %j is never negative and has no zeros in front", (serial, shown) => {
  expect(written({ serial: Uint8Array.from(serial) }).serialNumber).toBe(shown);
});

test("a certificate is valid until a year beyond 2049", () => {
  const notAfter = new Date("2050-06-01T12:00:00Z");
  expect(written({ notAfter }).validToDate).toEqual(notAfter);
});

test("what is written is read again, with MD5 and a key of 1024 bits too", () => {
  const wishes = {
    subject: { country: "LV", "common-name": "röuter" },
    altNames: ["DNS:router.example", "IP:192.0.2.1", "IP:2001:db8::1", "email:a@example"],
    keyUsage: ["digital-signature", "decipher-only", "tls-server", "dvcs"],
  };
  const certificate = written({ ...wishes, isCa: true, digest: "md5" }, rsa);
  expect(certificate.verify(rsa.publicKey)).toBe(true);
  const facts = readCertificate(certificate.raw);
  expect(facts).toMatchObject({ ...wishes, isCa: true, digest: "md5" });
  expect(facts.authorityKey).toBe(facts.subjectKey);
});

test("a curve has no signature with MD5, and a name is an address or a domain", () => {
  expect(() => written({ digest: "md5" })).toThrow(RangeError);
  expect(() => written({ altNames: ["IP:router"] })).toThrow("IP:router is no alternative name");
});

test("what is no certificate is not read", () => {
  expect(() => readCertificate(Buffer.of(0x30, 0x80, 1))).toThrow();
  expect(() => readCertificate(written({}).raw.subarray(0, 100))).toThrow();
});

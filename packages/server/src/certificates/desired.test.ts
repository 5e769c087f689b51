import { parseVersion } from "@portreeve/routeros";
import { describe, expect, test } from "vitest";
import { plan } from "../reconcile/index.ts";
import type { Observed } from "../reconcile/types.ts";
import { Secret } from "../vault/index.ts";
import { contentOf, desired, wantedName } from "./desired.ts";
import type { CertificateFacts } from "./facts.ts";
import { KEY_FILE, REQUEST_FILE } from "./request.ts";
import * as x509 from "./x509.ts";

const FINGERPRINT = "ab".repeat(32);
const facts: CertificateFacts = {
  transport: "api",
  target: "api-ssl",
  isOpen: true,
  keepsCertificate: false,
  address: "192.0.2.1",
  number: 1,
  known: [],
  shown: null,
  authority: undefined,
  request: undefined,
};
const version = parseVersion("7.18");
const router = { version, managementAddress: "198.51.100.1", offboarding: false };
const name = nameOf(facts);

function nameOf(given: CertificateFacts): string {
  return wantedName(given) ?? "none";
}

const known = (certificate: string, fingerprint = FINGERPRINT) => ({
  name: certificate,
  fingerprint,
  not_after: "2027-01-01T00:00:00.000Z",
  issuer: "self-signed",
});

/** What is planned on a router with these rows, in RouterOS's words. */
function steps(given: CertificateFacts, rows: Record<string, Record<string, string>[]> = {}, more = {}) {
  const observed: Observed = new Map(
    Object.entries({
      "/certificate": [],
      "/user/group": [{ ".id": "*1", name: "portreeve-api", policy: "api,policy,read,write,sensitive" }],
      "/ip/service": [
        { ".id": "*7", name: "api", disabled: "false", port: "8728" },
        { ".id": "*9", name: "api-ssl", disabled: "true", port: "8729", certificate: "none" },
      ],
      ...rows,
    }),
  );
  return plan(desired(given, { ...router, observed, ...more }), observed, version).steps;
}
const texts = (...of: Parameters<typeof steps>) => steps(...of).map(({ text }) => text);

const signed = (certificate: string, fingerprint = FINGERPRINT) => ({
  ".id": "*A",
  name: certificate,
  fingerprint,
  "private-key": "true",
});
const serving = (certificate: string, disabled = "false") => [
  { ".id": "*9", name: "api-ssl", disabled, port: "8729", certificate, "tls-version": "only-1.2" },
];

describe("a certificate", () => {
  test("names the address Portreeve connects to, and serves nothing else", () => {
    expect(contentOf("192.0.2.1")).toEqual({
      "common-name": "192.0.2.1",
      "subject-alt-name": "IP:192.0.2.1",
      "key-usage": "digital-signature,key-encipherment,tls-server",
      "key-size": "2048",
      "days-valid": "365",
    });
    const of = (address: string) => contentOf(address)["subject-alt-name"];
    expect(of("2001:db8::1")).toBe("IP:2001:db8::1");
    expect(of("router.example")).toBe("DNS:router.example");
  });

  test("of a long host name keeps within what X.509 allows", () => {
    const address = `${"a".repeat(60)}.example`;
    const { "common-name": common, "subject-alt-name": alternative } = contentOf(address);
    expect([common, alternative]).toEqual(["portreeve", `DNS:${address}`]);
  });

  test("has another name where something of it is another: the address, or the number of its renewal", () => {
    const names = [facts, { ...facts, address: "192.0.2.2" }, { ...facts, number: 2 }].map(nameOf);
    expect(new Set(names).size).toBe(3);
    for (const each of names) expect(each).toMatch(/^portreeve-[0-9a-f]{12}$/);
    expect(nameOf({ ...facts, transport: "api-ssl", shown: FINGERPRINT })).toBe(name);
  });

  test("is made, signed, and served only once its fingerprint is known", () => {
    expect(texts(facts)).toEqual([expect.stringContaining(`/certificate add name=${name} common-name=`)]);
    const template = { "/certificate": [{ ".id": "*A", name }] };
    expect(texts(facts, template)).toEqual([`/certificate sign number=${name}`]);
    expect(texts(facts, { "/certificate": [signed(name)] })).toEqual([]);
    const knowing = { ...facts, known: [known(name)] };
    expect(texts(knowing, { "/certificate": [signed(name)] })).toEqual([
      `/ip service set [find name="api-ssl"] certificate=${name} tls-version=only-1.2`,
    ]);
    expect(texts(knowing, { "/certificate": [signed(name, "cd".repeat(32))] })).toEqual([]);
  });

  test("that somebody removed is made again before anything serves it", () => {
    const knowing = { ...facts, known: [known(name)] };
    expect(texts(knowing)).toEqual([expect.stringContaining("/certificate add")]);
  });
});

describe("api-ssl", () => {
  test("is not opened to anybody without a certificate", () => {
    const open = { "/ip/service": serving("none") };
    expect(texts(facts, open).at(-1)).toBe('/ip service set [find name="api-ssl"] disabled=yes');
    // The management path is never closed, whatever became of its certificate.
    expect(texts({ ...facts, transport: "api-ssl" }, open)).toEqual([expect.stringContaining("add")]);
    // Somebody else's certificate serves until ours can.
    expect(texts(facts, { "/ip/service": serving("theirs") })).toEqual([expect.stringContaining("add")]);
  });

  test("keeps an operator's certificate, and the router has none of ours", () => {
    const keeping = { ...facts, transport: "api-ssl" as const, keepsCertificate: true, shown: FINGERPRINT };
    expect(texts(keeping, { "/ip/service": serving("theirs"), "/certificate": [signed("theirs")] })).toEqual(
      [],
    );
    expect(texts(keeping, { "/certificate": [signed("portreeve-old")] })).toEqual([
      '/certificate remove [find name="portreeve-old"]',
    ]);
  });

  test("gives our certificate up where it is closed, and the certificate goes", () => {
    const back = { ...facts, target: "api" as const, isOpen: false, known: [known(name)] };
    const rows = { "/ip/service": serving(name, "true"), "/certificate": [signed(name)] };
    expect(texts(back, rows)).toEqual([
      '/ip service set [find name="api-ssl"] certificate=none',
      `/certificate remove [find name="${name}"]`,
    ]);
    expect(texts(back, { ...rows, "/ip/service": serving("theirs") })).toEqual([
      `/certificate remove [find name="${name}"]`,
    ]);
  });

  test("keeps ours where the policy opens it to others, after Portreeve has moved back", () => {
    const back = { ...facts, target: "api" as const, known: [known(name)] };
    expect(texts(back, { "/ip/service": serving(name), "/certificate": [signed(name)] })).toEqual([]);
    expect(texts({ ...back, known: [] }, { "/ip/service": serving("theirs") })).toEqual([]);
  });
});

describe("while one certificate takes another's place", () => {
  const old = "portreeve-0ld";
  const oldFingerprint = "cd".repeat(32);
  const renewing: CertificateFacts = {
    ...facts,
    transport: "api-ssl",
    known: [known(old, oldFingerprint), known(name)],
    shown: oldFingerprint,
  };
  const both = [signed(old, oldFingerprint), { ...signed(name), ".id": "*B" }];

  test("the old one stays until the new one was shown", () => {
    const serves = (certificate: string) => ({ "/ip/service": serving(certificate), "/certificate": both });
    expect(texts(renewing, serves(old))).toEqual([
      `/ip service set [find name="api-ssl"] certificate=${name}`,
    ]);
    expect(texts(renewing, serves(name))).toEqual([]);
    expect(texts({ ...renewing, shown: FINGERPRINT }, serves(name))).toEqual([
      `/certificate remove [find name="${old}"]`,
    ]);
  });

  test("an old one that is gone is not made again", () => {
    const rows = { "/ip/service": serving(name), "/certificate": [signed(name)] };
    expect(texts(renewing, rows)).toEqual([]);
  });
});

describe("a certificate that an authority signs", () => {
  const authority = { fingerprint: "ef".repeat(32), subject: "CN=CA", notAfter: new Date("2030-01-01") };
  const signedBy: CertificateFacts = { ...facts, authority };
  const issuedName = nameOf(signedBy);
  const request = { name: issuedName, passphrase: new Secret("p"), isClear: true, issued: null };
  const asking: CertificateFacts = { ...signedBy, request };
  const rights = [{ ".id": "*1", name: "portreeve-api", policy: "api,policy,read,write,sensitive,ftp" }];
  const planned = (given: CertificateFacts, rows: Record<string, Record<string, string>[]> = {}) =>
    texts(given, { "/user/group": rights, "/file": [], ...rows });

  test("has another name than one the router signs itself", () => {
    expect(issuedName).not.toBe(name);
  });

  test("waits until its passphrase is kept, and until it is sure that nobody's request is written over", () => {
    expect(planned(signedBy)).toEqual([]);
    expect(planned({ ...asking, request: { ...request, isClear: false } })).toEqual([]);
    const theirs = [{ ".id": "*1", name: REQUEST_FILE, contents: "x" }];
    expect(planned(asking, { "/file": theirs })).toEqual([]);
  });

  test("comes about by a template and its request, whose passphrase is not shown", () => {
    expect(planned(asking)).toEqual([
      expect.stringContaining(`/certificate add name=${issuedName}-request common-name=192.0.2.1`),
    ]);
    const template = { "/certificate": [{ ".id": "*A", name: `${issuedName}-request` }] };
    expect(planned(asking, template)).toEqual([
      `/certificate create-certificate-request template=${issuedName}-request key-passphrase=[hidden]`,
    ]);
  });

  test("is imported before its key, and then the files go", async () => {
    const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    const subject = [{ OU: [issuedName] }];
    const csr = (
      await x509.Pkcs10CertificateRequestGenerator.create({
        name: subject,
        keys,
        signingAlgorithm: { hash: "SHA-256" },
      })
    ).toString("pem");
    const certificate = (
      await x509.X509CertificateGenerator.createSelfSigned({
        name: subject,
        keys,
        signingAlgorithm: { hash: "SHA-256" },
      })
    ).toString("pem");
    const files = (contents: string) => [
      { ".id": "*1", name: REQUEST_FILE, contents },
      { ".id": "*2", name: KEY_FILE, contents: "secret" },
    ];
    const signedRequest = { ...asking, request: { ...request, issued: certificate } };
    expect(planned(asking, { "/file": files(csr) })).toEqual([]);
    expect(planned(signedRequest, { "/file": files(csr) })).toEqual([
      expect.stringContaining(`/file set [find name="${REQUEST_FILE}"] contents=`),
    ]);
    expect(planned(signedRequest, { "/file": files(certificate) })).toEqual([
      `/certificate import file-name=${REQUEST_FILE} name=${issuedName}`,
    ]);
    const keyless = { ...signed(issuedName), "private-key": "false" };
    expect(planned(signedRequest, { "/file": files(certificate), "/certificate": [keyless] })).toEqual([
      `/certificate import file-name=${KEY_FILE} name=${issuedName} passphrase=[hidden]`,
    ]);
    expect(planned(signedRequest, { "/certificate": [keyless] })).toEqual([
      `/certificate remove [find name="${issuedName}"]`,
    ]);
    const complete = { "/certificate": [signed(issuedName)] };
    expect(planned(signedRequest, { ...complete, "/file": files(certificate) })).toEqual([
      `/file remove [find name="${REQUEST_FILE}"]`,
      `/file remove [find name="${KEY_FILE}"]`,
    ]);
  });

  test("that is no longer wanted leaves no file behind", () => {
    const files = [
      { ".id": "*1", name: KEY_FILE },
      { ".id": "*2", name: "theirs.pem" },
    ];
    const abandoned = { ...facts, target: "api" as const, isOpen: false, request };
    expect(planned(abandoned, { "/file": files })).toContain(`/file remove [find name="${KEY_FILE}"]`);
    const foreign = { ...abandoned, request: { ...request, isClear: false } };
    expect(planned(foreign, { "/file": files })).toEqual([]);
  });
});

test("the right to make a key is given only where one is to be made", () => {
  const group = [{ ".id": "*1", name: "portreeve-api", policy: "api,policy,read,write" }];
  expect(texts(facts, { "/user/group": group })[0]).toBe(
    '/user group set [find name="portreeve-api"] policy=api,policy,read,write,sensitive',
  );
  expect(texts({ ...facts, target: "api", isOpen: false }, { "/user/group": group })).toEqual([]);
});

test("off-boarding takes every certificate of ours and leaves api-ssl as it is", () => {
  const rows = { "/ip/service": serving(name), "/certificate": [signed(name), signed("theirs")] };
  const off = steps({ ...facts, transport: "api-ssl", known: [known(name)] }, rows, { offboarding: true });
  expect(off.map(({ text }) => text)).toEqual([`/certificate remove [find name="${name}"]`]);
  expect(
    off.every(({ touchesManagementPath, inverse }) => touchesManagementPath && inverse.length === 0),
  ).toBe(true);
});

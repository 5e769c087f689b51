import { parseVersion } from "@portreeve/routeros";
import { describe, expect, test } from "vitest";
import { plan } from "../reconcile/index.ts";
import type { Observed } from "../reconcile/types.ts";
import { type CertificateFacts, desired, wantedCertificate } from "./desired.ts";

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
};
const version = parseVersion("7.18");
const router = { version, managementAddress: "198.51.100.1", offboarding: false };
const name = nameOf(facts);

function nameOf(given: CertificateFacts): string {
  return wantedCertificate(given)?.key ?? "none";
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
  return plan(desired(given, { ...router, ...more }), observed, version).steps;
}
const texts = (...of: Parameters<typeof steps>) => steps(...of).map(({ text }) => text);

const signed = (certificate: string, fingerprint = FINGERPRINT) => ({
  ".id": "*A",
  name: certificate,
  fingerprint,
});
const serving = (certificate: string, disabled = "false") => [
  { ".id": "*9", name: "api-ssl", disabled, port: "8729", certificate, "tls-version": "only-1.2" },
];

describe("a certificate", () => {
  test("names the address Portreeve connects to, and serves nothing else", () => {
    expect(wantedCertificate(facts)?.fields).toEqual({
      "common-name": "192.0.2.1",
      "subject-alt-name": "IP:192.0.2.1",
      "key-usage": "digital-signature,key-encipherment,tls-server",
      "key-size": "2048",
      "days-valid": "365",
    });
    const of = (address: string) => wantedCertificate({ ...facts, address })?.fields["subject-alt-name"];
    expect(of("2001:db8::1")).toBe("IP:2001:db8::1");
    expect(of("router.example")).toBe("DNS:router.example");
  });

  test("of a long host name keeps within what X.509 allows", () => {
    const address = `${"a".repeat(60)}.example`;
    const { "common-name": common, "subject-alt-name": alternative } =
      wantedCertificate({ ...facts, address })?.fields ?? {};
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
    expect(texts(facts, template)).toEqual([`/certificate sign [find name="${name}"]`]);
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
    // The way in is never closed, whatever became of its certificate.
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
  expect(off.every(({ touchesWayIn, inverse }) => touchesWayIn && inverse.length === 0)).toBe(true);
});

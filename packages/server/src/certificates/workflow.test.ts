/** Each transition by itself: what is known, what is on the router, what follows. */
import { expect, test } from "vitest";
import { Secret } from "../vault/index.ts";
import { wantedName } from "./desired.ts";
import type { CertificateFacts, RequestFacts } from "./facts.ts";
import { KEY_FILE, REQUEST_FILE } from "./request.ts";
import { nextTransition } from "./workflow.ts";
import * as x509 from "./x509.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
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
const authority = { fingerprint: "ef".repeat(32), subject: "CN=CA", notAfter: new Date("2030-01-01") };
const signedBy: CertificateFacts = { ...facts, authority };
const nameOf = (of: CertificateFacts) => wantedName(of) ?? "none";

const signed = (name: string, more = {}) => ({
  name,
  fingerprint: FINGERPRINT,
  "private-key": "true",
  "invalid-before": "2026-05-01 00:00:00",
  "invalid-after": "2027-05-01 00:00:00",
  "expires-after": "47w",
  ...more,
});
const known = (name: string, not_after = "2027-05-01T00:00:00.000Z") => ({
  name,
  fingerprint: FINGERPRINT,
  not_after,
  issuer: "self-signed",
});
const serving = (certificate: string) => [
  { name: "api", port: "8728", disabled: "false" },
  { name: "api-ssl", port: "8729", disabled: "false", certificate },
];
const next = (
  of: CertificateFacts,
  rows: Record<string, Record<string, string>[]> = {},
  move?: Parameters<typeof nextTransition>[2],
) => nextTransition(of, new Map(Object.entries(rows)), move, NOW);

const requestOf = (of: CertificateFacts, more: Partial<RequestFacts> = {}): RequestFacts => ({
  name: nameOf(of),
  passphrase: new Secret("p"),
  isClear: true,
  issued: null,
  ...more,
});

async function requestPem(unit: string): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const name = [{ OU: [unit] }];
  const signingAlgorithm = { hash: "SHA-256" };
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm });
  return request.toString("pem");
}

test("a certificate that the router signs itself is waited for, then known", () => {
  const name = nameOf(facts);
  expect(next({ ...facts, transport: "api-ssl" })).toEqual({ kind: "none" });
  expect(next(facts, { "/certificate": [signed(name)] })).toEqual({
    kind: "know",
    certificate: known(name),
  });
});

test("a certificate whose fingerprint or end can't be read is a problem, and is not served", () => {
  const name = nameOf(facts);
  for (const broken of [{ fingerprint: "x" }, { "invalid-after": "soon" }]) {
    expect(next(facts, { "/certificate": [signed(name, broken)] })).toMatchObject({ kind: "problem" });
  }
});

test("a request begins with a passphrase, which is kept before the router makes a key", () => {
  expect(next(signedBy)).toEqual({ kind: "begin-request", name: nameOf(signedBy) });
});

test("the files are claimed once nobody else's request is in their place", () => {
  const request = requestOf(signedBy, { isClear: false });
  expect(next({ ...signedBy, request })).toEqual({ kind: "claim-files", request });
  expect(next({ ...signedBy, request }, { "/file": [{ name: REQUEST_FILE, contents: "theirs" }] })).toEqual({
    kind: "problem",
    problem: `${REQUEST_FILE} on the router is not Portreeve's; remove it, or rename it`,
  });
});

test("a request that the router has made is signed, once", async () => {
  const request = requestOf(signedBy);
  const pem = await requestPem(request.name);
  const files = { "/file": [{ name: REQUEST_FILE, contents: pem }, { name: KEY_FILE }] };
  expect(next({ ...signedBy, transport: "api-ssl", request })).toEqual({ kind: "none" });
  expect(next({ ...signedBy, request }, files)).toEqual({ kind: "sign", request, pem });
});

test("a request ends once its certificate is complete and its files have gone", () => {
  const request = requestOf(signedBy);
  const rows = { "/certificate": [signed(request.name)] };
  const left = { ...rows, "/file": [{ name: KEY_FILE }] };
  expect(next({ ...signedBy, request }, rows)).toEqual({ kind: "end-request" });
  expect(next({ ...signedBy, request }, left)).toMatchObject({ kind: "know" });
  const unwanted = { ...facts, target: "api" as const, isOpen: false, request };
  expect(next(unwanted)).toEqual({ kind: "end-request" });
});

test("a certificate that ends within thirty days is renewed, unless its authority ends too", () => {
  const own = { ...facts, transport: "api-ssl" as const, known: [known(nameOf(facts))] };
  const ending = { "/certificate": [signed(nameOf(facts), { "expires-after": "4w" })] };
  expect(next(own, ending)).toEqual({ kind: "renew" });
  const name = nameOf(signedBy);
  const issued = {
    ...signedBy,
    transport: "api-ssl" as const,
    known: [known(name, "2026-06-20T00:00:00.000Z")],
  };
  expect(next(issued, { "/certificate": [signed(name)] })).toEqual({ kind: "renew" });
  const last = { ...issued, authority: { ...authority, notAfter: new Date("2026-06-25") } };
  expect(next({ ...last }, { "/certificate": [signed(name)] })).toEqual({
    kind: "problem",
    problem: "the certificate authority ends on 2026-06-25; give another one",
  });
});

test("the other transport is proved once the router serves it with the known certificate", () => {
  const name = nameOf(facts);
  const ready = { ...facts, known: [known(name)] };
  const rows = { "/certificate": [signed(name)] };
  expect(next(ready, { ...rows, "/ip/service": serving("theirs") })).toMatchObject({ kind: "problem" });
  expect(next(ready, { ...rows, "/ip/service": serving(name) })).toEqual({
    kind: "prove-transport",
    way: { transport: "api-ssl", port: 8729, fingerprint: FINGERPRINT },
  });
});

test("a transport that was refused is said to be, with the reason", () => {
  const name = nameOf(facts);
  const way = { transport: "api-ssl", port: 8729, fingerprint: FINGERPRINT } as const;
  const rows = { "/certificate": [signed(name)], "/ip/service": serving(name) };
  expect(next({ ...facts, known: [known(name)] }, rows, { way, refused: "no answer" })).toEqual({
    kind: "problem",
    problem: "no login by api-ssl on port 8729 (no answer); Portreeve stays on api, which stays open",
  });
});

test("with two certificates known it is looked which of them was shown last", () => {
  const name = nameOf(facts);
  const both = { ...facts, transport: "api-ssl" as const, known: [known("portreeve-0ld"), known(name)] };
  expect(next(both, { "/certificate": [signed(name)] })).toEqual({ kind: "see-shown" });
});

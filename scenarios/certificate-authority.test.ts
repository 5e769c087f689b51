/** A customer's own authority signs the routers' certificates; the routers' keys stay where they are. */
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as tcpConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import type { CertificateAuthority, Policy, Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { expect } from "vitest";
import { type AuthorityFiles, makeAuthority } from "./harness/authority.ts";
import {
  addCustomer,
  createPolicy,
  expectInSync,
  expectProblem,
  expectStatus,
  expectSync,
  readSite,
  startManagedRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const PATH = "/v1/certificate-authority";
const DAY_MS = 86_400_000;
const OVER_TLS = {
  management_transport: "api-ssl",
  api_ssl: { enabled: true, networks: [] },
  api: { enabled: false, networks: [] },
};

const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
const rsa = makeAuthority("First", { key: ["-newkey", "rsa:2048"], more: usage });
const curve = makeAuthority("Second", { key: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"] });

const test = scenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "1" })
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads what a fixture needs from this pattern
  .extend("directory", { scope: "file" }, ({}, { onCleanup }) => {
    const directory = mkdtempSync(join(tmpdir(), "portreeve-served-"));
    onCleanup(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  });

const put = (server: TestServer, files: AuthorityFiles, api = server.api) => api.put(PATH, files);

async function attach(server: TestServer, site: Site): Promise<void> {
  const policy: Policy = await createPolicy(server.api, OVER_TLS);
  expectStatus(
    await server.api.put(`/v1/control-plane/policies/${policy.id}/sites`, { sites: [site.id] }),
    200,
  );
}

/** What api-ssl shows to somebody who believes this authority and nobody else. */
async function verified(
  server: TestServer,
  router: Emulator,
  { certificate: ca }: AuthorityFiles,
): Promise<X509Certificate> {
  const from = server.managementAddress;
  const where = { host: router.address, port: router.port("api-ssl"), localAddress: from };
  const socket = tlsConnect({ socket: tcpConnect(where), ca, host: router.address, servername: "" });
  try {
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    return new X509Certificate(socket.getPeerCertificate().raw);
  } finally {
    socket.destroy();
  }
}

/** The site is on api-ssl with a certificate of this issuer, and nothing of its making is left on the router. */
async function expectIssued(server: TestServer, router: Emulator, id: string, issuer: string): Promise<Site> {
  await waitFor(async () => (await readSite(server.api, id)).certificate?.issuer === issuer, {
    within: 20_000,
  });
  const site = await expectInSync(server.api, id);
  expect(site.management_transport).toBe("api-ssl");
  expect(router.control.rows("/certificate").map(({ name }) => name)).toEqual([site.certificate?.name]);
  expect(router.control.rows("/file").map(({ name }) => name)).toEqual([]);
  expect(
    await server.sql("select certificate_request from site_certificates where site_id = $1", [id]),
  ).toEqual([{ certificate_request: null }]);
  return site;
}

test.for(["6.49.10", "7.9", "7.18", "7.24"])(
  "it signs for a router with RouterOS %s",
  async (version, { server, directory }) => {
    expectStatus(await put(server, rsa), 200);
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    await attach(server, site);
    const issued = await expectIssued(server, router, site.id, "CN=First,O=Example");
    const certificate = await verified(server, router, rsa);
    expect(certificate.checkIP(router.address)).toBe(router.address);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toContain(`CN=${router.address}`);
    expect(certificate.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(issued.tls_fingerprint);
    expect(Date.parse(issued.certificate?.not_after ?? "")).toBe(Date.parse(certificate.validTo));
    const [pem, ca] = [join(directory, "served.crt"), join(directory, "ca.crt")];
    writeFileSync(ca, rsa.certificate);
    execFileSync("openssl", ["x509", "-inform", "DER", "-out", pem], { input: certificate.raw });
    const chain = ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", router.address];
    execFileSync("openssl", [...chain, "-CAfile", ca, pem], { stdio: "pipe" });
    const [group] = router.control.rows("/user/group").filter(({ name }) => name === "portreeve-api");
    expect(
      group?.policy
        ?.split(",")
        .filter((right) => !right.startsWith("!"))
        .toSorted(),
    ).toEqual(["api", "ftp", "policy", "read", "sensitive", "write"]);
  },
);

test("another authority, its renewal and none again each replace the certificate; the site is never out of reach", async ({
  server,
}) => {
  expectStatus(await put(server, rsa), 200);
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  await attach(server, site);
  const first = await expectIssued(server, router, site.id, "CN=First,O=Example");

  expectStatus(await put(server, curve), 200);
  const second = await expectIssued(server, router, site.id, "CN=Second,O=Example");
  expect(second.certificate?.name).not.toBe(first.certificate?.name);
  await verified(server, router, curve);

  // What an authority signed ends by our clock.
  const end = JSON.stringify(new Date(Date.now() + 29 * DAY_MS));
  const soon = `
    update site_certificates set certificates = jsonb_set(certificates, '{0,not_after}', $2::jsonb) where site_id = $1`;
  await server.sql(soon, [site.id, end]);
  // Time alone is heard by nobody: the next reading notices, and here it is asked for.
  expectStatus(await server.api.post(`/v1/sites/${site.id}/reconcile`), 202);
  await waitFor(
    async () => (await readSite(server.api, site.id)).certificate?.name !== second.certificate?.name,
    { within: 20_000 },
  );
  await expectIssued(server, router, site.id, "CN=Second,O=Example");

  expectStatus(await server.api.delete(PATH), 204);
  await expectIssued(server, router, site.id, "self-signed");
});

test("the router's key never leaves it, and no secret of the making is shown anywhere", async ({
  server,
}) => {
  expectStatus(await put(server, rsa), 200);
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  await attach(server, site);
  await expectIssued(server, router, site.id, "CN=First,O=Example");
  const sent = router.control.transcript().map(({ words }) => words.join("\n"));
  const commands = sent.filter((words) =>
    /\/file\/|create-certificate-request|\/certificate\/import/.test(words),
  );
  expect(commands.length).toBeGreaterThan(3);
  for (const words of sent) expect(words).not.toMatch(/PRIVATE KEY/); // not even encrypted
  const key = rsa.private_key.split("\n")[5] ?? "";
  expect(key.length).toBeGreaterThan(60);
  for (const place of [await server.dump(), server.log()]) {
    expect(place).not.toContain(key);
    expect(place).not.toMatch(/passphrase=(?!\[hidden\])[A-Za-z0-9]/);
  }
});

test("a request of somebody else's on the router is not written over", async ({ server }) => {
  expectStatus(await put(server, rsa), 200);
  const { router, site } = await startManagedRouter(server, { version: "7.18" });
  await using _router = router;
  const theirs = { name: "certificate-request.pem", contents: "theirs" };
  await router.control.addRow("/file", theirs);
  await attach(server, site);
  const failed = await expectSync(server.api, site.id, "failed");
  expect(failed.sync.reason).toBe(
    "certificate-request.pem on the router is not Portreeve's; remove it, or rename it",
  );
  expect(failed.management_transport).toBe("api");
  expect(router.control.rows("/file")).toMatchObject([theirs]);
  await router.control.removeRow("/file", theirs.name);
  await expectIssued(server, router, site.id, "CN=First,O=Example");
});

test("an authority that is none is refused with the field and what to change", async ({ server }) => {
  const leaf = makeAuthority("Leaf", { basicConstraints: "CA:FALSE" });
  const noSign = makeAuthority("NoSign", { more: ["-addext", "keyUsage=critical,digitalSignature"] });
  const edwards = makeAuthority("Edwards", { key: ["-newkey", "ed25519"] });
  const refused: readonly [object, Record<string, RegExp>][] = [
    [{ ...rsa, certificate: "x" }, { certificate: /PEM/ }],
    [{ ...rsa, private_key: "x" }, { private_key: /PEM/ }],
    [{ ...rsa, private_key: curve.private_key }, { private_key: /not the key/ }],
    [leaf, { certificate: /CA:TRUE/ }],
    [noSign, { certificate: /keyCertSign/ }],
    [edwards, { private_key: /RSA, or a curve/ }],
    [{ certificate: rsa.certificate }, { private_key: /./ }],
    [{ ...rsa, chain: "x" }, { chain: /not a known field/ }],
  ];
  for (const [body, errors] of refused) {
    const problem = expectProblem(await server.api.put(PATH, body), 422, "validation-failed");
    expect(Object.keys(problem.errors ?? {})).toEqual(Object.keys(errors));
    for (const [field, pattern] of Object.entries(errors))
      expect(problem.errors?.[field]?.[0]).toMatch(pattern);
    expect(JSON.stringify(problem)).not.toContain("PRIVATE KEY");
  }
});

test("it is shown without its key, to its own customer alone, and every change is audited", async ({
  server,
}) => {
  const shown: CertificateAuthority = expectStatus(await put(server, rsa), 200);
  expect(shown).toMatchObject({ certificate: rsa.certificate, subject: "CN=First,O=Example" });
  expect(shown.fingerprint).toBe(
    new X509Certificate(rsa.certificate).fingerprint256.replaceAll(":", "").toLowerCase(),
  );
  expect(expectStatus(await server.api.get(PATH), 200)).toEqual(shown);
  expect(JSON.stringify(shown)).not.toContain("PRIVATE KEY");

  const other = await addCustomer(server);
  expectProblem(await other.get(PATH), 404, "certificate-authority-not-found");
  expectProblem(await other.delete(PATH), 404, "certificate-authority-not-found");
  expectStatus(await put(server, curve, other), 200);
  expect(expectStatus(await server.api.get(PATH), 200)).toEqual(shown);
  expectStatus(await other.delete(PATH), 204);
  expect(expectStatus(await server.api.get(PATH), 200)).toEqual(shown);

  for (const [scope, method] of [
    ["certificates:read", "get"],
    ["certificates:write", "put"],
  ] as const) {
    const scopes = ["sites:read", scope === "certificates:read" ? "certificates:write" : "certificates:read"];
    const { token } = expectStatus(await server.api.post("/v1/tokens", { name: "t", scopes }), 201);
    const client = server.api.as(token);
    const answer = method === "get" ? await client.get(PATH) : await client.put(PATH, rsa);
    expectProblem(answer, 403, "insufficient-scope");
  }
  expectStatus(await server.api.delete(PATH), 204);
  expectProblem(await server.api.get(PATH), 404, "certificate-authority-not-found");
  const { data } = expectStatus(await server.api.get("/v1/audit?limit=20"), 200);
  const actions = data.map(({ action }: { action: string }) => action);
  expect(actions).toContain("certificate_authority.set");
  expect(actions).toContain("certificate_authority.removed");
});

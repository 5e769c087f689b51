/** A policy that names api-ssl takes its sites there, and back: at no moment can Portreeve log in by neither. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as tcpConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import type { Policy, Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { expect } from "vitest";
import {
  ADMIN,
  adopt,
  createPolicy,
  credentialsOf,
  expectInSync,
  expectProblem,
  expectStatus,
  expectSync,
  type ManagedRouter,
  PORTS,
  policyOf,
  readSite,
  startManagedRouter,
  startRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

const DAY_MS = 86_400_000;

const OVER_TLS = {
  management_transport: "api-ssl",
  api_ssl: { enabled: true, networks: [] },
  api: { enabled: false, networks: [] },
};

/** A managed router under a policy of its own. */
async function underOwnPolicy(
  server: TestServer,
  change: Record<string, unknown>,
  options = {},
): Promise<ManagedRouter & { path: string }> {
  const managed = await startManagedRouter(server, options);
  return { ...managed, path: await attach(server, managed.site, change) };
}

const service = (router: Emulator, name: string) =>
  router.control.rows("/ip/service").find((row) => row.name === name && row.dynamic !== "true");

const ours = (router: Emulator) =>
  router.control.rows("/certificate").filter(({ name = "" }) => name.startsWith("portreeve-"));

/** Put the site under a new policy; its path. */
async function attach(server: TestServer, site: Site, change: Record<string, unknown>): Promise<string> {
  const policy: Policy = await createPolicy(server.api, change);
  const path = `/v1/control-plane/policies/${policy.id}`;
  expectStatus(await server.api.put(`${path}/sites`, { sites: [site.id] }), 200);
  return path;
}

/** What somebody at the router would type. */
async function sign(router: Emulator, name: string): Promise<void> {
  const login = { host: router.address, port: router.port("api"), ...ADMIN };
  await using client = await RouterClient.connect(login);
  await client.call("/certificate/sign", { number: name });
}

/** One whole run from now on has ended. */
async function reconciled(server: TestServer, id: string): Promise<void> {
  expectStatus(await server.api.post(`/v1/sites/${id}/reconcile`), 202);
  const checked = async () => Date.parse((await readSite(server.api, id)).sync.checked_at ?? "");
  for (const now of [await checked(), await checked()]) await waitFor(async () => (await checked()) > now);
}

async function actionsOf(server: TestServer, id: string): Promise<string[]> {
  const { data } = expectStatus(await server.api.get(`/v1/audit?site_id=${id}&limit=200`), 200);
  return data.map(({ action }: { action: string }) => action);
}

async function activeLogin(server: TestServer, id: string) {
  const active = (await credentialsOf(server.api, id)).find(({ state }) => state === "active");
  if (!active) throw new Error("no login is active");
  return active;
}

/** The certificate api-ssl shows to Portreeve's address. */
async function shown(server: TestServer, router: Emulator): Promise<X509Certificate> {
  const where = {
    host: router.address,
    port: router.port("api-ssl"),
    localAddress: server.managementAddress,
  };
  const socket = tlsConnect({ socket: tcpConnect(where), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw);
}

/** The site is on api-ssl with a certificate of ours, and the plain API is closed. */
async function expectOverTls(server: TestServer, router: Emulator, id: string): Promise<Site> {
  await waitFor(async () => (await readSite(server.api, id)).management_transport === "api-ssl");
  const site = await expectInSync(server.api, id);
  const [certificate, ...others] = ours(router);
  expect(others).toEqual([]);
  expect(site).toMatchObject({
    api_port: PORTS.api_ssl,
    tls_fingerprint: certificate?.fingerprint,
    certificate: { name: certificate?.name, fingerprint: certificate?.fingerprint, issuer: "self-signed" },
  });
  expect(service(router, "api-ssl")).toMatchObject({
    disabled: "false",
    certificate: certificate?.name,
    "tls-version": "only-1.2",
  });
  expect(service(router, "api")).toMatchObject({ disabled: "true" });
  const presented = await shown(server, router);
  expect(presented.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(site.tls_fingerprint);
  expect(presented.checkIP(router.address)).toBe(router.address);
  expect(presented.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(new Date(site.certificate?.not_after ?? "").getTime()).toBe(new Date(presented.validTo).getTime());
  return site;
}

test.for(["6.49.10", "7.9", "7.18", "7.24"])(
  "a site on RouterOS %s moves to api-ssl and back",
  async (version, { server }) => {
    const { router, site, path } = await underOwnPolicy(server, OVER_TLS, { version });
    await using _router = router;
    await expectOverTls(server, router, site.id);

    expectStatus(await server.api.put(path, policyOf()), 200);
    const back = await waitFor(async () => {
      const found = await readSite(server.api, site.id);
      return found.management_transport === "api" && found;
    });
    expect(back).toMatchObject({ api_port: PORTS.api, tls_fingerprint: null, certificate: null });
    await expectInSync(server.api, site.id);
    expect(service(router, "api")).toMatchObject({ disabled: "false" });
    expect(service(router, "api-ssl")).toMatchObject({ disabled: "true", certificate: "none" });
    expect(ours(router)).toEqual([]);
  },
);

test("a site whose router has the certificate a moment late arrives all the same", async ({ server }) => {
  const managed = await startManagedRouter(server);
  const { router, site } = managed;
  await using _router = router;
  router.control.inject({ kind: "late-certificate", ms: 1_500, times: 1 });
  await attach(server, site, OVER_TLS);
  await expectOverTls(server, router, site.id);
});

test("a certificate is renewed thirty days before it ends, and the site is never out of reach", async ({
  server,
}) => {
  const { router, site } = await underOwnPolicy(server, OVER_TLS, { version: "7.18" });
  await using _router = router;
  const before = await expectOverTls(server, router, site.id);

  await router.control.advanceClock(334 * DAY_MS);
  await reconciled(server, site.id);
  expect((await readSite(server.api, site.id)).certificate).toEqual(before.certificate);

  router.control.inject({ kind: "late-certificate", ms: 1_500, times: 1 });
  await router.control.advanceClock(2 * DAY_MS);
  // Time alone is heard by nobody: the next reading notices, and here it is asked for.
  expectStatus(await server.api.post(`/v1/sites/${site.id}/reconcile`), 202);
  await waitFor(async () => (await readSite(server.api, site.id)).tls_fingerprint !== before.tls_fingerprint);
  const after = await expectOverTls(server, router, site.id);
  expect(after.certificate?.name).not.toBe(before.certificate?.name);
  expect(Date.parse(after.certificate?.not_after ?? "")).toBeGreaterThan(
    Date.parse(before.certificate?.not_after ?? ""),
  );
  expect(await actionsOf(server, site.id)).not.toContain("site.drift_repaired");
});

test("another certificate than the one that is pinned gets no password", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  await router.control.addRow("/certificate", {
    name: "foreign",
    "common-name": "x",
    "key-size": "prime256v1",
  });
  await sign(router, "foreign");
  await attach(server, site, OVER_TLS);
  const before = await expectOverTls(server, router, site.id);
  const { username } = await activeLogin(server, site.id);
  // Somebody in the middle; the connection that is open goes too.
  await router.control.setRow("/ip/service", "api-ssl", { certificate: "foreign" });
  const logIns = () =>
    router.control.rows("/log").filter(({ message = "" }) => message.includes(username)).length;
  await router.control.reboot();
  const known = logIns();
  await waitFor(async () => {
    const { sync } = await readSite(server.api, site.id);
    return sync.state === "pending" && sync.reason?.includes("certificate is another one");
  });
  expect(logIns()).toBe(known);
  const now = await readSite(server.api, site.id);
  expect(now).toMatchObject({ management_transport: "api-ssl", tls_fingerprint: before.tls_fingerprint });

  // The operator has looked, and put it right.
  await router.control.setRow("/ip/service", "api-ssl", { certificate: before.certificate?.name ?? "" });
  await expectOverTls(server, router, site.id);
});

test("where api-ssl lets nobody in, the site says so and stays on the plain API", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  router.control.inject({ kind: "refuse", service: "api-ssl" });
  await attach(server, site, OVER_TLS);
  const failed = await expectSync(server.api, site.id, "failed");
  expect(failed.sync.reason).toMatch(
    /^no login by api-ssl on port 8729 \(.*\); Portreeve stays on api, which stays open$/,
  );
  expect(failed).toMatchObject({ status: "online", management_transport: "api", tls_fingerprint: null });
  expect(service(router, "api")).toMatchObject({ disabled: "false" });
  router.control.clear();
  await expectOverTls(server, router, site.id);
});

test("an operator's certificate is kept, with api-ssl, until the site is told to give it up", async ({
  server,
}) => {
  await using router = await startRouter(server.net);
  await router.control.addRow("/certificate", {
    name: "theirs",
    "common-name": "x",
    "key-size": "prime256v1",
  });
  await sign(router, "theirs");
  await router.control.setRow("/ip/service", "api-ssl", { certificate: "theirs" });
  const fingerprint =
    router.control.rows("/certificate").find(({ name }) => name === "theirs")?.fingerprint ?? "";
  const theirs = { management_transport: "api-ssl", tls_fingerprint: fingerprint };
  const site = await adopt(server.api, router, { api_port: PORTS.api_ssl, ...theirs });
  expect(site).toMatchObject({ ...theirs, certificate: null });
  expect(service(router, "api-ssl")).toMatchObject({ certificate: "theirs", disabled: "false" });

  const path = await attach(server, site, OVER_TLS);
  await expectInSync(server.api, site.id);
  expect(service(router, "api-ssl")).toMatchObject({ certificate: "theirs" });
  expect(ours(router)).toEqual([]);
  const problem = expectProblem(await server.api.put(path, policyOf()), 422, "validation-failed");
  expect(problem.detail).toContain("Portreeve reaches");

  const given = await server.api.patch(`/v1/sites/${site.id}`, { tls_fingerprint: null });
  expectStatus(given, 200);
  await waitFor(async () => (await readSite(server.api, site.id)).certificate !== null);
  await expectOverTls(server, router, site.id);
  expect(router.control.rows("/certificate").map(({ name }) => name)).toContain("theirs");
});

test("off-boarding takes our certificates with it", async ({ server }) => {
  const { router, site } = await underOwnPolicy(server, OVER_TLS);
  await using _router = router;
  await expectOverTls(server, router, site.id);
  expectStatus(await server.api.delete(`/v1/sites/${site.id}`), 202);
  await waitFor(async () => (await server.api.get(`/v1/sites/${site.id}`)).status === 404);
  expect(ours(router)).toEqual([]);
  expect(router.control.rows("/user").map(({ name }) => name)).toEqual(["admin"]);
});

test("a router that restarts while the site moves arrives in the end", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  await attach(server, site, OVER_TLS);
  await waitFor(() => ours(router).some((row) => row.fingerprint));
  await router.control.reboot();
  await waitFor(() => service(router, "api-ssl")?.certificate !== "none");
  await router.control.reboot();
  await expectOverTls(server, router, site.id);
});

test("a link that is cut while the site moves leaves it on the transport that worked, until it is back", async ({
  server,
}) => {
  const { router, site } = await startManagedRouter(server);
  await using _router = router;
  await attach(server, site, OVER_TLS);
  await waitFor(() => service(router, "api-ssl")?.certificate !== "none");
  router.control.cutLink();
  const away = async () => (await readSite(server.api, site.id)).sync.reason !== null;
  await waitFor(away, { within: 60_000, what: "the run to end" });
  router.control.restoreLink();
  await expectOverTls(server, router, site.id);
}, 120_000);

test("a replaced router is told by its transport, and moves over again", async ({ server }) => {
  const { router, site } = await underOwnPolicy(server, OVER_TLS);
  await expectOverTls(server, router, site.id);
  await router.close();
  await using another = await startRouter(server.net, { address: router.address });
  const path = `/v1/sites/${site.id}`;
  expectProblem(await server.api.patch(path, { management_transport: "api-ssl" }), 422, "validation-failed");
  expectStatus(
    await server.api.patch(path, { management_transport: "api", api_port: PORTS.api, ...ADMIN }),
    200,
  );
  await expectOverTls(server, another, site.id);
});

test("a preview shows the steps up to the login that decides, and says that it ends there", async ({
  server,
}) => {
  await using router = await startRouter(server.net);
  const site = await adopt(server.api, router);
  const policy: Policy = await createPolicy(server.api, OVER_TLS);
  const path = `/v1/control-plane/policies/${policy.id}/preview`;
  const { data } = expectStatus(await server.api.post(path, { sites: [site.id] }), 200);
  const [{ steps, warnings }] = data;
  const texts: string[] = steps.map(({ text }: { text: string }) => text);
  expect(texts.filter((text) => text.startsWith("/certificate"))).toEqual([
    expect.stringMatching(/^\/certificate add name=portreeve-/),
    expect.stringMatching(/^\/certificate sign number=portreeve-/),
  ]);
  expect(texts.filter((text) => /name="api(-ssl)?"/.test(text) && text.includes("disabled=no"))).toEqual([]);
  expect(texts.filter((text) => text.includes('name="api"') && text.includes("disabled=yes"))).toEqual([]);
  expect(warnings).toContain(
    "Portreeve moves from api to api-ssl once a login by it has worked; the steps are those up to then",
  );
  expect(ours(router)).toEqual([]);
});

/** The server is killed between any two steps of a move to api-ssl and back: it always knows a management path that works. */
import type { Policy, Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { expect } from "vitest";
import { openClient } from "../packages/server/src/database/connection.ts";
import { createTestDatabase } from "../packages/server/src/database/testing.ts";
import { makeAuthority } from "./harness/authority.ts";
import {
  createPolicy,
  credentialsOf,
  expectInSync,
  expectStatus,
  readSite,
  startManagedRouter,
  waitFor,
} from "./harness/index.ts";
import { processScenario } from "./harness/scenario.ts";
import type { ServerProcess } from "./harness/server-process.ts";

const OVER_TLS = {
  name: "Over TLS",
  management_transport: "api-ssl",
  api_ssl: { enabled: true, networks: [] },
  api: { enabled: false, networks: [] },
};
const DAY_MS = 86_400_000;
const CONVERGED = { within: 30_000 };

const test = processScenario
  /** Of its own, which can be asked while the server is dead. */
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads what a fixture needs from this pattern
  .extend("ownDatabase", { scope: "file" }, async ({}, { onCleanup }) => {
    const own = await createTestDatabase();
    onCleanup(() => own.drop());
    return own;
  })
  .override("env", ({ ownDatabase }) => ({
    DATABASE_URL: ownDatabase.connectionString,
    PORTREEVE_LOG_LEVEL: "warn",
  }))
  .extend("database", { scope: "file" }, async ({ ownDatabase }, { onCleanup }) => {
    const client = await openClient(ownDatabase.connectionString);
    onCleanup(() => client.end());
    return client;
  })
  .extend("overTls", { scope: "file" }, ({ server }) => createPolicy(server.api, OVER_TLS))
  .extend("plain", { scope: "file" }, ({ server }) => createPolicy(server.api, { name: "Plain" }));

interface Moment {
  readonly router: Emulator;
  readonly site: Site;
  /** The columns of the site the server knows its management path by. */
  row(): Promise<Record<string, unknown>>;
}

type Condition = (moment: Moment) => Promise<unknown> | unknown;

const service = ({ router }: Moment, name: string) =>
  router.control.rows("/ip/service").find((row) => row.name === name && row.dynamic !== "true");
const ours = ({ router }: Moment) =>
  router.control.rows("/certificate").filter(({ name = "" }) => name.startsWith("portreeve-"));

/** Every step of the move, by what it leaves on the router or in the database. */
const OVER: readonly (readonly [string, Condition])[] = [
  ["the template is on the router", (at) => ours(at).length > 0],
  ["the certificate is signed", (at) => ours(at).some((row) => row.fingerprint)],
  ["its fingerprint is known", async (at) => ((await at.row()).certificates as unknown[]).length > 0],
  ["api-ssl serves it", (at) => service(at, "api-ssl")?.certificate?.startsWith("portreeve-")],
  ["somebody has come by api-ssl", ({ router }) => router.control.peers("api-ssl").length > 0],
  ["the site is switched", async (at) => (await at.row()).management_transport === "api-ssl"],
  ["the plain API is closed", (at) => service(at, "api")?.disabled === "true"],
];

const BACK: readonly (readonly [string, Condition])[] = [
  ["the plain API is open", (at) => service(at, "api")?.disabled === "false"],
  ["the site is switched back", async (at) => (await at.row()).management_transport === "api"],
  ["api-ssl has given the certificate up", (at) => service(at, "api-ssl")?.certificate === "none"],
];

/** No condition that ends by itself: the server does not wait until somebody has looked. */
const isNew = ({ site }: Moment, { name }: { readonly name?: string }) => name !== site.certificate?.name;
const RENEWAL: readonly (readonly [string, Condition])[] = [
  ["there is another certificate", (at) => ours(at).some((row) => isNew(at, row))],
  ["it is signed", (at) => ours(at).some((row) => isNew(at, row) && row.fingerprint)],
  [
    "its fingerprint is known too",
    async (at) => ((await at.row()).certificates as { name: string }[]).some((one) => isNew(at, one)),
  ],
  ["api-ssl serves the new one", (at) => service(at, "api-ssl")?.certificate !== at.site.certificate?.name],
  ["the new one has been shown", async (at) => (await at.row()).tls_fingerprint !== at.site.tls_fingerprint],
];

test.for(["6.49.10", "7.18"])(
  "on RouterOS %s, moving over, renewing and moving back",
  { timeout: 300_000 },
  async (version, { server, database, overTls, plain }) => {
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    for (const [what, condition] of OVER) {
      await attach(server, site, overTls);
      await killWhen(server, database, what, condition, router, site);
      await expectTransport(server, router, site, "api-ssl");
      await attach(server, site, plain);
      await expectTransport(server, router, site, "api");
    }
    for (const [what, condition] of BACK) {
      await attach(server, site, overTls);
      await expectTransport(server, router, site, "api-ssl");
      await attach(server, site, plain);
      await killWhen(server, database, what, condition, router, site);
      await expectTransport(server, router, site, "api");
    }
    await attach(server, site, overTls);
    for (const [what, condition] of RENEWAL) {
      const before = await expectTransport(server, router, site, "api-ssl");
      await router.control.advanceClock(340 * DAY_MS);
      // Time alone is heard by nobody: the next reading notices, and here it is asked for.
      expectStatus(await server.api.post(`/v1/sites/${site.id}/reconcile`), 202);
      await killWhen(server, database, what, condition, router, before);
      await waitFor(async () => {
        const { certificate } = await readSite(server.api, site.id);
        return certificate && certificate.name !== before.certificate?.name;
      }, CONVERGED);
    }
    await expectTransport(server, router, site, "api-ssl");
  },
);

/** Each command of a request, answered late, so that the server dies while it waits; and what it leaves behind. */
const REQUESTED: readonly (readonly [string, string, Condition])[] = [
  [
    "the request is on the router",
    "/certificate/create-certificate-request",
    (at) => fileOf(at) !== undefined,
  ],
  [
    "the signed certificate is in its place",
    "/file/set",
    (at) => fileOf(at)?.includes("BEGIN CERTIFICATE---"),
  ],
  [
    "it is imported, and its key is not",
    "/certificate/import",
    (at) => ours(at).some((row) => row.fingerprint),
  ],
  ["its files are being removed", "/file/remove", (at) => fileOf(at) === undefined],
];
const fileOf = ({ router }: Moment) =>
  router.control.rows("/file").find(({ name }) => name === "certificate-request.pem")?.contents;

test.for(["6.49.10", "7.18"])(
  "on RouterOS %s, while an authority signs",
  { timeout: 200_000 },
  async (version, { server, database, overTls, plain }) => {
    expectStatus(await server.api.put("/v1/certificate-authority", makeAuthority("Kill")), 200);
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    for (const [what, command, condition] of REQUESTED) {
      router.control.inject({ kind: "delay", command, ms: 20_000, times: 1 });
      await attach(server, site, overTls);
      await killWhen(server, database, what, condition, router, site);
      router.control.clear();
      const { certificate } = await expectTransport(server, router, site, "api-ssl");
      expect(certificate?.issuer).toBe("CN=Kill,O=Example");
      expect(router.control.rows("/file")).toEqual([]);
      await attach(server, site, plain);
      await expectTransport(server, router, site, "api");
    }
    expectStatus(await server.api.delete("/v1/certificate-authority"), 204);
  },
);

async function attach(server: ServerProcess, site: Site, { id }: Policy): Promise<void> {
  expectStatus(await server.api.put(`/v1/control-plane/policies/${id}/sites`, { sites: [site.id] }), 200);
}

/** How the router is reached, and with which certificates. */
const ROW = `
  select * from site_connections join site_certificates using (site_id) join site_sync using (site_id) where site_id = $1`;

/** Kill the server as soon as this holds, see that what it knows is enough to come in by, and start it again. */
async function killWhen(
  server: ServerProcess,
  database: Awaited<ReturnType<typeof openClient>>,
  what: string,
  condition: Condition,
  router: Emulator,
  site: Site,
): Promise<void> {
  const row = async () => (await database.query(ROW, [site.id])).rows[0] ?? {};
  await waitFor(() => condition({ router, site, row }), { ...CONVERGED, what });
  const [login] = (await credentialsOf(server.api, site.id)).filter(({ state }) => state === "active");
  await server.kill();
  await expectManagementPath(server, await row(), router, login ?? { username: "", password: "" });
  server.start();
  await server.ready();
}

/** One of the management paths that the database names works, with a certificate that the database names. */
async function expectManagementPath(
  server: ServerProcess,
  row: Record<string, unknown>,
  router: Emulator,
  { username, password }: { username: string; password: string | null },
): Promise<void> {
  const known = row.certificates as { fingerprint: string }[];
  const fingerprint = [row.tls_fingerprint as string, ...known.map((one) => one.fingerprint)];
  const attempts = [row.api_port, row.next_api_port].filter(Boolean).map((port) =>
    RouterClient.connect({
      host: router.address,
      port: Number(port),
      localAddress: server.managementAddress,
      username,
      password: password ?? "",
      ...(row.management_transport === "api-ssl" ? { tls: { fingerprint } } : {}),
    }),
  );
  await using client = await Promise.any(attempts);
  expect(client.remoteAddress).toBe(router.address);
}

/** The site is in sync on this transport, and its router has what belongs to it and nothing else of ours. */
async function expectTransport(
  server: ServerProcess,
  router: Emulator,
  { id }: Site,
  transport: "api" | "api-ssl",
): Promise<Site> {
  await waitFor(async () => (await readSite(server.api, id)).management_transport === transport, CONVERGED);
  const site = await expectInSync(server.api, id, CONVERGED);
  const names = router.control.rows("/certificate").map(({ name }) => name);
  expect(names).toEqual(site.certificate ? [site.certificate.name] : []);
  const open = (name: string) => service({ router, site, row: async () => ({}) }, name)?.disabled === "false";
  expect([open("api"), open("api-ssl")]).toEqual([transport === "api", transport === "api-ssl"]);
  expect(router.control.rows("/system/scheduler")).toEqual([]);
  return site;
}

/** The server is killed between any two steps of a move to api-ssl and back: it always knows a management path that works. */
import type { Policy, Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { afterAll, beforeAll, expect, test } from "vitest";
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
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { ServerProcess } from "./harness/server-process.ts";

const OVER_TLS = {
  name: "Over TLS",
  management_transport: "api-ssl",
  api_ssl: { enabled: true, networks: [] },
  api: { enabled: false, networks: [] },
};
const DAY_MS = 86_400_000;
const SETTLED = { within: 30_000 };

const ending = new AsyncDisposableStack();
let database: Awaited<ReturnType<typeof openClient>>;
let server: ServerProcess;
let overTls: Policy;
let plain: Policy;

beforeAll(async () => {
  // A database of its own, which can be asked while the server is dead.
  const test = ending.use(await createTestDatabase());
  database = await openClient(test.connectionString);
  ending.defer(() => database.end());
  server = ending.use(
    await ServerProcess.prepare({ DATABASE_URL: test.connectionString, PORTREEVE_LOG_LEVEL: "warn" }),
  );
  server.start();
  await server.ready();
  await useBindablePorts(server.api);
  overTls = await createPolicy(server.api, OVER_TLS);
  plain = await createPolicy(server.api, { name: "Plain" });
}, 60_000);

afterAll(async () => {
  await ending.disposeAsync();
});

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

test.each(["6.49.10", "7.18"])(
  "on RouterOS %s, moving over, renewing and moving back",
  async (version) => {
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    for (const [what, condition] of OVER) {
      await attach(site, overTls);
      await killWhen(what, condition, router, site);
      await expectTransport(router, site, "api-ssl");
      await attach(site, plain);
      await expectTransport(router, site, "api");
    }
    for (const [what, condition] of BACK) {
      await attach(site, overTls);
      await expectTransport(router, site, "api-ssl");
      await attach(site, plain);
      await killWhen(what, condition, router, site);
      await expectTransport(router, site, "api");
    }
    await attach(site, overTls);
    for (const [what, condition] of RENEWAL) {
      const before = await expectTransport(router, site, "api-ssl");
      await router.control.advanceClock(340 * DAY_MS);
      await killWhen(what, condition, router, before);
      await waitFor(async () => {
        const { certificate } = await readSite(server.api, site.id);
        return certificate && certificate.name !== before.certificate?.name;
      }, SETTLED);
    }
    await expectTransport(router, site, "api-ssl");
  },
  300_000,
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

test.each(["6.49.10", "7.18"])(
  "on RouterOS %s, while an authority signs",
  async (version) => {
    expectStatus(await server.api.put("/v1/certificate-authority", makeAuthority("Kill")), 200);
    const { router, site } = await startManagedRouter(server, { version });
    await using _router = router;
    for (const [what, command, condition] of REQUESTED) {
      router.control.inject({ kind: "delay", command, ms: 20_000, times: 1 });
      await attach(site, overTls);
      await killWhen(what, condition, router, site);
      router.control.clear();
      const { certificate } = await expectTransport(router, site, "api-ssl");
      expect(certificate?.issuer).toBe("CN=Kill,O=Example");
      expect(router.control.rows("/file")).toEqual([]);
      await attach(site, plain);
      await expectTransport(router, site, "api");
    }
    expectStatus(await server.api.delete("/v1/certificate-authority"), 204);
  },
  200_000,
);

async function attach(site: Site, { id }: Policy): Promise<void> {
  expectStatus(await server.api.put(`/v1/control-plane/policies/${id}/sites`, { sites: [site.id] }), 200);
}

/** How the router is reached, and with which certificates. */
const ROW = `
  select * from site_connections join site_certificates using (site_id) join site_sync using (site_id) where site_id = $1`;

/** Kill the server as soon as this holds, see that what it knows is enough to come in by, and start it again. */
async function killWhen(what: string, condition: Condition, router: Emulator, site: Site): Promise<void> {
  const row = async () => (await database.query(ROW, [site.id])).rows[0] ?? {};
  await waitFor(() => condition({ router, site, row }), { ...SETTLED, what });
  const [login] = (await credentialsOf(server.api, site.id)).filter(({ state }) => state === "active");
  await server.kill();
  await expectManagementPath(await row(), router, login ?? { username: "", password: "" });
  server.start();
  await server.ready();
}

/** One of the management paths that the database names works, with a certificate that the database names. */
async function expectManagementPath(
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
async function expectTransport(router: Emulator, { id }: Site, transport: "api" | "api-ssl"): Promise<Site> {
  await waitFor(async () => (await readSite(server.api, id)).management_transport === transport, SETTLED);
  const site = await expectInSync(server.api, id, SETTLED);
  const names = router.control.rows("/certificate").map(({ name }) => name);
  expect(names).toEqual(site.certificate ? [site.certificate.name] : []);
  const open = (name: string) => service({ router, site, row: async () => ({}) }, name)?.disabled === "false";
  expect([open("api"), open("api-ssl")]).toEqual([transport === "api", transport === "api-ssl"]);
  expect(router.control.rows("/system/scheduler")).toEqual([]);
  return site;
}

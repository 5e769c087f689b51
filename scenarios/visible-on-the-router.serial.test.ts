/** What a change made by HTTP does to real routers, seen through other people's clients, and how soon. */
import type { Emulator } from "@portreeve/emulator";
import { afterAll, describe, expect } from "vitest";
import { FOREIGN_CLIENTS, type ForeignClient, type ForeignRow } from "./harness/foreign-clients.ts";
import {
  ADMIN,
  createPolicy,
  expectInSync,
  expectStatus,
  type ManagedRouter,
  PORTS,
  policyOf,
  startManagedRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const VERSIONS = ["6.49", "7.16", "7.20", "7.24"];
/** A change asked for by HTTP is on the router within this time, milliseconds. */
const VISIBLE_WITHIN_MS = 2_000;

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" }).override("bindablePorts", false);

/** How somebody with the router's own admin login comes in. */
function adminOf(router: Emulator) {
  return { host: router.address, port: router.port("api"), ...ADMIN };
}

/** The column that names who may come in: 7.24 renamed it. */
function sources(row: ForeignRow | undefined): string {
  return row?.address ?? row?.["available-from"] ?? "";
}

function service(rows: readonly ForeignRow[], name: string): ForeignRow | undefined {
  return rows.find((row) => row.name === name && row.dynamic !== "true");
}

/** `/ip/service` without the connections that are open at the moment. */
function settings(router: Emulator): readonly ForeignRow[] {
  return router.control.rows("/ip/service").filter((row) => row.dynamic !== "true");
}

/** One test per client; one that this machine hasn't is skipped, and its title says why. */
function withEachClient(
  title: (client: string) => string,
  run: (server: TestServer, client: ForeignClient) => Promise<void>,
): void {
  for (const client of FOREIGN_CLIENTS) {
    const note = client.missing === undefined ? "" : ` (skipped: ${client.missing})`;
    test.skipIf(client.missing !== undefined)(title(client.name) + note, ({ server }) => run(server, client));
  }
}

async function attach(server: TestServer, policyId: string, siteId: string): Promise<void> {
  expectStatus(
    await server.api.put(`/v1/control-plane/policies/${policyId}/sites`, { sites: [siteId] }),
    200,
  );
}

describe.each(VERSIONS)("RouterOS %s", (version) => {
  let changed: ManagedRouter;
  let other: ManagedRouter;

  test.beforeAll(async ({ server }) => {
    const policy = await createPolicy(server.api);
    changed = await startManagedRouter(server, { version, identity: "changed" });
    other = await startManagedRouter(server, { version, identity: "other" });
    await attach(server, policy.id, other.site.id);
    await expectInSync(server.api, other.site.id);
  });

  afterAll(async () => {
    await changed?.router.close();
    await other?.router.close();
  });

  withEachClient(
    (client) => `a policy change is visible with ${client} within two seconds, on that router only`,
    async (server, client) => {
      const untouched = settings(other.router);
      const policy = await createPolicy(server.api);
      await attach(server, policy.id, changed.site.id);
      await expectInSync(server.api, changed.site.id);
      const body = policyOf({
        winbox: { port: 8299, networks: ["127.0.0.0/8", "203.0.113.0/24"] },
        ftp: { enabled: true, networks: ["192.0.2.7"] },
        http: { enabled: false },
      });
      const asked = performance.now();
      expectStatus(await server.api.put(`/v1/control-plane/policies/${policy.id}`, body), 200);
      const rows = await visible(
        client,
        (seen) => service(seen, "winbox")?.port === "8299" && service(seen, "ftp")?.disabled === "false",
      );
      expect(performance.now() - asked).toBeLessThan(VISIBLE_WITHIN_MS);
      const management = `${changed.site.management_address}/32`;
      expect(sources(service(rows, "winbox"))).toBe(`${management},127.0.0.0/8,203.0.113.0/24`);
      expect(service(rows, "ftp")).toMatchObject({ disabled: "false", port: String(PORTS.ftp) });
      expect(sources(service(rows, "ftp"))).toBe(`${management},192.0.2.7/32`);
      expect(service(rows, "www")).toMatchObject({ disabled: "true" });
      await expectInSync(server.api, changed.site.id);
      expect(settings(other.router)).toEqual(untouched);
      await expectInSync(server.api, other.site.id);
    },
  );

  withEachClient(
    (client) => `a change made by hand with ${client} is seen and repaired within a period`,
    async (server, client) => {
      const before = service(changed.router.control.rows("/ip/service"), "telnet");
      expect(before).toMatchObject({ disabled: "true" });
      const drifted = { disabled: "no", port: "2399" };
      await client.set(adminOf(changed.router), "/ip/service", "telnet", drifted);
      const repaired = async () => {
        const row = service(changed.router.control.rows("/ip/service"), "telnet");
        expect(row).toEqual(before);
        return true;
      };
      await waitFor(repaired, { within: 5_000, what: "the repair" });
      const event = await waitFor(
        async () => {
          const { data } = expectStatus(
            await server.api.get(`/v1/audit?site_id=${changed.site.id}&action=site.drift_repaired`),
            200,
          );
          return data[0];
        },
        { what: "the audit event" },
      );
      expect(event.detail.steps.join()).toContain("telnet");
      await expectInSync(server.api, changed.site.id);
    },
  );

  test("a user and a group of ours that somebody changed by hand are as they were within a period", async ({
    server,
  }) => {
    const { control } = changed.router;
    await control.setRow("/user/group", "portreeve-read", { policy: "read,write,ssh" });
    await control.setRow("/user", "portreeve-api", { comment: "mine now" });
    await waitFor(
      () => {
        expect(control.rows("/user/group").find((row) => row.name === "portreeve-read")?.policy).not.toMatch(
          /(^|,)write/,
        );
        expect(control.rows("/user").find((row) => row.name === "portreeve-api")?.comment).toContain(
          "portreeve",
        );
        return true;
      },
      { within: 5_000, what: "the repair" },
    );
    await expectInSync(server.api, changed.site.id);
  });

  async function visible(
    client: ForeignClient,
    holds: (rows: readonly ForeignRow[]) => boolean,
  ): Promise<ForeignRow[]> {
    const look = async () => {
      const rows = await client.print(adminOf(changed.router), "/ip/service");
      return holds(rows) && rows;
    };
    return waitFor(look, { within: 2 * VISIBLE_WITHIN_MS, what: `${client.name} to see the change` });
  }
});

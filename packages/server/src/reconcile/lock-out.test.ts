/**
 * Nobody is locked out: plans that end the management path, delivered without any check before, to emulated routers. After the
 * rollback timer's time every one of them lets us in again, and holds what it held before.
 */

import { type Emulator, startEmulator } from "@portreeve/emulator";
import {
  firewallFilter,
  ipService,
  parseVersion,
  RouterClient,
  type Row,
  user,
  userGroup,
} from "@portreeve/routeros";
import { waitFor } from "@portreeve/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import type { RouterAccess } from "../routers/index.ts";
import { apiLinks } from "../routers/index.ts";
import { ConnectionWatch } from "../routers/watch/connection-watch.ts";
import { databaseHandovers } from "./handovers.ts";
import { Reconciler } from "./reconciler.ts";
import type { DesiredMenu, Outcome, SiteRecords, SiteSnapshot } from "./types.ts";

const SITE = "00000000-0000-4000-8000-000000000001";
const LOGIN = { username: "portreeve-api", password: "canary" };
const AFTER_ROLLBACK_TIMER_MS = 91_000;

/** Each ends the management path by itself. `n` makes no two alike. */
const HOSTILE: Record<string, (n: number) => DesiredMenu[]> = {
  "the API off": () => [services({ key: "api", fields: { disabled: "true" }, managementPath: true })],
  "the API for others only": (n) => [
    services({ key: "api", fields: { address: `192.0.2.${n}/32` }, managementPath: true }),
  ],
  "our user for others only": (n) => [
    users({ key: LOGIN.username, fields: { address: `198.51.100.${n}/32` }, managementPath: true }),
  ],
  "our user in a group without api": () => [
    { menu: userGroup, rows: [{ key: "no-api", fields: { policy: "read" } }], owns: "none" },
    users({ key: LOGIN.username, fields: { group: "no-api" }, managementPath: true }),
  ],
  "everything dropped, open sessions too": (n) => [rule({ action: "drop", comment: `a ${n}` })],
  "new connections dropped": (n) => [
    rule({ action: "drop", "connection-state": "new", protocol: "tcp", comment: `b ${n}` }),
  ],
  "the API's port refused": (n) => [
    rule({ action: "reject", protocol: "tcp", "src-address": "127.0.0.0/8", comment: `c ${n}` }),
  ],
  "the API's port moved, the new one dropped": (n) => [
    services({ key: "api", fields: { port: String(20_000 + n) }, managementPath: true }),
    rule({ action: "drop", protocol: "tcp", "connection-state": "new", comment: `d ${n}` }),
  ],
  "the API off and everything dropped": (n) => [
    services({ key: "api", fields: { disabled: "true" }, managementPath: true }),
    rule({ action: "drop", comment: `e ${n}` }),
  ],
};

const VERSIONS = ["6.49", "7.9", "7.18", "7.24"];
/** With four versions and nine kinds: 108 plans. */
const OF_EACH = 3;

let store: TestDatabase;
beforeAll(async () => {
  store = await createTestDatabase();
});
afterAll(() => store?.drop());

describe.concurrent.each(VERSIONS)("RouterOS %s", (version) => {
  for (const [kind, desired] of Object.entries(HOSTILE)) {
    for (let n = 1; n <= OF_EACH; n++) {
      test(`${kind}: the router lets us in again (${n})`, { timeout: 60_000 }, async () => {
        await using router = await startRouter(version);
        const before = configuration(router);
        const site = new FakeSite(router);
        const reconciler = site.reconciler(desired(n));

        await reconciler.run(SITE, new AbortController().signal);
        expect(site.outcome?.state).not.toBe("in_sync");
        await router.control.advanceClock(AFTER_ROLLBACK_TIMER_MS);

        await expect(logIn(router)).resolves.toBeUndefined();
        // Safe mode's own rollback may come after the rollback timer, and bring its entries back once more.
        await waitFor(async () => {
          await router.control.advanceClock(AFTER_ROLLBACK_TIMER_MS);
          expect(configuration(router)).toEqual(before);
          return true;
        });

        // It is left at that: the next run changes nothing, and says why.
        await reconciler.run(SITE, new AbortController().signal);
        expect(site.outcome).toMatchObject({ state: "needs_attention" });
        expect(configuration(router)).toEqual(before);
      });
    }
  }
});

function services(row: DesiredMenu["rows"][number]): DesiredMenu {
  return { menu: ipService, rows: [row], owns: "none" };
}

function users(row: DesiredMenu["rows"][number]): DesiredMenu {
  return { menu: user, rows: [row], owns: "none" };
}

/** A rule in front of every other. */
function rule({ comment = "", ...fields }: Record<string, string>): DesiredMenu {
  const row = { key: comment, fields: { chain: "input", ...fields }, managementPath: true as const };
  return {
    menu: firewallFilter,
    rows: [{ ...row, place: { chain: "input", before: "first" } }],
    owns: { field: "comment", is: [comment] },
  };
}

async function startRouter(version: string): Promise<Emulator> {
  const router = await startEmulator({
    version,
    ports: { api: 0 },
    listen: ["api"],
    username: "admin",
    password: "x",
  });
  await router.control.addRow("/user/group", { name: "ours", policy: "api,policy,read,write" });
  await router.control.addRow("/user", { name: LOGIN.username, password: LOGIN.password, group: "ours" });
  await router.control.addRow("/ip/firewall/filter", { chain: "input", action: "accept", protocol: "icmp" });
  return router;
}

/** What the hostile plans change, and the scheduler. */
function configuration(router: Emulator) {
  const menus = ["/ip/service", "/user", "/user/group", "/ip/firewall/filter", "/system/scheduler"];
  return menus.map((menu) =>
    router.control
      .rows(menu)
      .filter((row) => row.dynamic !== "true" && row.name !== "no-api")
      .map(({ bytes: _b, packets: _p, "last-logged-in": _l, ...row }) => row as Row),
  );
}

async function logIn(router: Emulator): Promise<void> {
  await using _client = await connect(router);
}

function connect(router: Emulator): Promise<RouterClient> {
  const { address: host } = router;
  return RouterClient.connect({
    host,
    port: router.port("api"),
    ...LOGIN,
    connectTimeoutMs: 500,
    commandTimeoutMs: 500,
  });
}

/** One site in memory: what the sites and credentials modules keep in the database. */
class FakeSite {
  outcome: Outcome | undefined;
  readonly #router: Emulator;
  #armed: string | undefined;
  #problem: SiteSnapshot["managementPathProblem"];

  constructor(router: Emulator) {
    this.#router = router;
  }

  reconciler(desired: readonly DesiredMenu[]): Reconciler {
    const contributor = { name: "hostile", load: async () => ({ desired: () => [...desired] }) };
    return new Reconciler({
      database: store.database,
      links: apiLinks({
        access: this.#access(),
        openSecret: () => Promise.reject(new Error("no row here holds a secret")),
      }),
      workflows: { advance: async () => false },
      handovers: databaseHandovers(store.database),
      sites: this.#records(),
      contributors: [contributor],
      guard: { menus: [], reasonAgainst: () => undefined }, // what it would refuse is what the routers have to undo here
      log: pino({ level: "silent" }),
    });
  }

  #access(): RouterAccess {
    const open = async () => {
      const client = await connect(this.#router);
      const [resource] = await client.print("/system/resource");
      const version = parseVersion(resource?.version ?? "");
      return {
        client,
        watch: new ConnectionWatch({ client, username: "", onHeard: () => {} }),
        version,
        managementAddress: "127.0.0.1",
        service: "api" as const,
        [Symbol.asyncDispose]: async () => client.close(),
      };
    };
    return { open, openForReading: open, heartbeat: async () => false };
  }

  #records(): SiteRecords {
    return {
      list: async () => [SITE],
      load: async () => ({
        id: SITE,
        customerId: "customer",
        generation: "1",
        offboarding: false,
        managementPathArmed: this.#armed,
        managementPathProblem: this.#problem,
      }),
      expectApiPort: async () => {},
      armManagementPath: async (_id, change) => {
        this.#armed = change;
        this.#problem = undefined;
      },
      confirmManagementPath: async () => {
        this.#armed = undefined;
      },
      abandonManagementPath: async (_site, change, reason) => {
        this.#problem = { change, reason };
      },
      finish: async (_trx, _site, outcome) => {
        this.outcome = outcome;
      },
      checked: () => {},
      forget: async () => {},
    };
  }
}

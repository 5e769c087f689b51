/** Runs of an adopted router: which of them ask the router for one row, and which read it. */
import { waitFor } from "@portreeve/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { credentialContributor } from "../../credentials/index.ts";
import type { Database } from "../../database/index.ts";
import { policyContributor } from "../../policies/index.ts";
import { databaseHandovers, Reconciler } from "../../reconcile/index.ts";
import { AddressRules, Sightings, siteRecords } from "../../sites/index.ts";
import { apiLinks } from "../api/api-link.ts";
import { RouterLogins } from "../login.ts";
import { USERNAME, WorkflowFleet, type WorkflowSite } from "../workflows/workflows.fixture.ts";

const SIGNAL = new AbortController().signal;
const MINUTE = 60_000;

let fleet: WorkflowFleet;
beforeAll(async () => {
  fleet = await WorkflowFleet.open();
});
afterAll(() => fleet[Symbol.asyncDispose]());

/** A site that a process watches: its connection is kept from run to run. */
class WatchedSite implements AsyncDisposable {
  readonly site: WorkflowSite;
  readonly sightings: Sightings;
  readonly heard: string[] = [];
  transactions = 0;
  readonly #logins: RouterLogins;
  readonly #reconciler: Reconciler;

  private constructor(site: WorkflowSite) {
    this.site = site;
    const database = this.#counting(site.database);
    this.sightings = new Sightings(database);
    const { vault } = fleet;
    this.#logins = new RouterLogins({
      database,
      vault,
      sightings: this.sightings,
      isOurs: () => true,
      onHeard: (siteId) => this.heard.push(siteId),
      addresses: new AddressRules({ allowLoopback: true }),
      localAddress: undefined,
    });
    this.#reconciler = new Reconciler({
      database,
      sites: siteRecords(database, this.sightings),
      links: apiLinks({
        access: this.#logins,
        openSecret: () => Promise.reject(new Error("no secrets here")),
      }),
      workflows: { advance: async () => false },
      handovers: databaseHandovers(database),
      contributors: [policyContributor, credentialContributor(vault, USERNAME)],
      guard: { menus: [], reasonAgainst: () => undefined },
      log: pino({ level: "silent" }),
    });
  }

  static async open(refused: readonly string[] = []): Promise<WatchedSite> {
    const site = await fleet.site();
    for (const menu of refused) site.router.control.setListening(menu, "refused");
    await site.adopted();
    const watched = new WatchedSite(site);
    await watched.run();
    expect((await site.row()).sync_state).toBe("in_sync");
    return watched;
  }

  async run({ isWoken = true } = {}): Promise<void> {
    expect(await this.#reconciler.run(this.site.id, SIGNAL, isWoken)).toEqual({ state: "done" });
  }

  /** The site's turn has come. @returns what the router was asked for it */
  async turn(): Promise<string[]> {
    const { control } = this.site.router;
    const before = control.transcript().length;
    await this.run({ isWoken: false });
    const lines = control.transcript().slice(before);
    return lines.filter(({ direction }) => direction === "in").map(({ words }) => words[0] ?? "");
  }

  async changeFilter(): Promise<void> {
    const values = { chain: "forward", action: "accept", comment: "somebody's" };
    await this.site.router.control.addRow("/ip/firewall/filter", values);
  }

  #counting(database: Database): Database {
    return new Proxy(database, {
      get: (target, name) => {
        if (name !== "asSystem") return Reflect.get(target, name);
        return (work: Parameters<Database["asSystem"]>[0]) => {
          this.transactions += 1;
          return target.asSystem(work);
        };
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#logins[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
  }
}

/** The clock of turns, so many minutes on. */
async function later(minutes: number, work: () => Promise<void>): Promise<void> {
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + minutes * MINUTE);
  try {
    await work();
  } finally {
    clock.mockRestore();
  }
}

describe("a turn", () => {
  test("asks for our own user's row, and nothing of the database", async () => {
    await using watched = await WatchedSite.open();
    const before = watched.transactions;
    for (let turns = 0; turns < 3; turns++) expect(await watched.turn()).toEqual(["/user/print"]);
    expect(watched.transactions).toBe(before);
    const { seenAt = 0, checkedAt = 0, traffic } = watched.sightings.of(watched.site.id) ?? {};
    expect(Date.now() - Math.min(seenAt, checkedAt)).toBeLessThan(10_000);
    expect(traffic?.sent).toBeGreaterThan(0);
  });

  test("reads the router when our user is no longer what it was, though nothing was heard of it", async () => {
    await using watched = await WatchedSite.open(["/user"]);
    await watched.site.router.control.setRow("/user", USERNAME, { address: "127.0.0.0/8" });
    expect(await watched.turn()).toContain("/ip/service/print");
  });

  test("reads the router after the connection was lost", async () => {
    await using watched = await WatchedSite.open();
    await watched.site.router.control.reboot();
    expect(await watched.turn()).toEqual(expect.arrayContaining(["/login", "/ip/service/print"]));
  });

  test("reads the router when it was woken", async () => {
    await using watched = await WatchedSite.open();
    const before = watched.transactions;
    await watched.run({ isWoken: true });
    expect(watched.transactions).toBeGreaterThan(before);
  });

  test("reads the router when an hour has passed", async () => {
    await using watched = await WatchedSite.open();
    await later(61, async () => expect(await watched.turn()).toContain("/ip/service/print"));
  });
});

describe("what changes on the router", () => {
  test("is heard, gathered, and told once", async () => {
    await using watched = await WatchedSite.open();
    for (let changes = 0; changes < 3; changes++) await watched.changeFilter();
    await waitFor(() => watched.heard.length > 0, { what: "a change to be heard" });
    expect(watched.heard).toEqual([watched.site.id]);
    expect(await watched.turn()).toContain("/ip/firewall/filter/print");
    expect(await watched.turn()).toEqual(["/user/print"]);
  });

  test("is looked at by itself where it is an address list, and read only if the list is ours", async () => {
    await using watched = await WatchedSite.open();
    const { control } = watched.site.router;
    const list = "/ip/firewall/address-list";
    const reads = () => control.transcript().filter(({ words }) => words[0] === `${list}/print`).length;
    const before = reads();
    const id = await control.addRow(list, { list: "customers", address: "192.0.2.7" });
    await waitFor(() => reads() > before, { what: "a look at our lists" });
    await control.removeRow(list, id);
    await waitFor(() => reads() > before + 1, { what: "another look" });
    expect(watched.heard).toEqual([]);
    expect(await watched.turn()).toEqual(["/user/print"]);
    const ours = control.rows(list).find((row) => row.list?.startsWith("portreeve-"));
    await control.removeRow(list, ours?.[".id"] ?? "");
    await waitFor(() => watched.heard.length > 0, { what: "a change to be heard" });
  });

  test("is found within ten minutes in a menu that can't be listened to", async () => {
    await using watched = await WatchedSite.open(["/ip/firewall/filter"]);
    await watched.changeFilter();
    expect(await watched.turn()).toEqual(["/user/print"]);
    expect(watched.heard).toEqual([]);
    await later(10, async () => {
      const asked = await watched.turn();
      expect(asked.slice(0, 2)).toEqual(["/user/print", "/ip/firewall/filter/print"]);
      expect(asked).toContain("/ip/service/print");
    });
  });

  test("is no longer heard of a menu that never rests; that one is read with those that can't be listened to", async () => {
    await using watched = await WatchedSite.open();
    for (let changes = 0; changes < 40; changes++) await watched.changeFilter();
    const { control } = watched.site.router;
    const isGivenUp = () => control.transcript().some(({ words }) => words[0] === "/cancel");
    await waitFor(isGivenUp, { what: "the listening to be given up" });
    await watched.run();
    await later(10, async () => {
      expect(await watched.turn()).toEqual(["/user/print", "/ip/firewall/filter/print"]);
    });
  });
});

test("where each byte costs money a turn is nothing for five minutes", async () => {
  await using watched = await WatchedSite.open();
  const { database, id } = watched.site;
  await database.asSystem((trx) =>
    trx.updateTable("site_connections").set({ metered: true }).where("site_id", "=", id).execute(),
  );
  await watched.run();
  expect(await watched.turn()).toEqual([]);
  await later(5, async () => expect(await watched.turn()).toEqual(["/user/print"]));
});

test("bytes that are carried while a batch is written are in the next one", async () => {
  await using watched = await WatchedSite.open();
  const { sightings, site } = watched;
  await sightings.write();
  const before = Number((await site.row()).bytes_sent);
  sightings.carried(site.id, { sent: 100, received: 1 });
  const writing = sightings.write();
  sightings.carried(site.id, { sent: 20, received: 1 });
  await writing;
  await sightings.write();
  expect(Number((await site.row()).bytes_sent)).toBe(before + 120);
});

/** A router that answers minutes later: each run ends when it has to wait, and the next one goes on from the database. */
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policyContributor } from "../policies/contributor.ts";
import { ASSESSED_MENUS } from "../reachability/index.ts";
import { FixtureFleet } from "../rollouts/fleet.fixture.ts";
import { PollingRouter, pollingLinks, ROLLBACK_SECONDS } from "../routers/testing/polling-router.fixture.ts";
import { findSite, Sightings, siteRecords } from "../sites/index.ts";
import { databaseHandovers } from "./handovers.ts";
import { Reconciler } from "./reconciler.ts";
import { rollbackTimerRead } from "./rollback-timer.ts";

const SIGNAL = new AbortController().signal;
const POLL_MS = 2 * 60_000;

let fleet: FixtureFleet;
beforeAll(async () => {
  fleet = await FixtureFleet.open();
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

describe.each(["6.49", "7.18", "7.24"])("RouterOS %s", (version) => {
  test("a policy arrives over many runs, each by another process; nothing is delivered twice", async () => {
    await using site = await PolledSite.open(version);
    const states: string[] = [];
    for (let runs = 0; runs < 12 && states.at(-1) !== "in_sync"; runs++) {
      states.push(await site.run());
      await site.poll();
    }
    expect(states.at(-1)).toBe("in_sync");
    expect(states.slice(0, -1)).toEqual(states.slice(0, -1).map(() => "pending"));
    // Rows beside the management path, then those of it, then its proof; and what was read in between.
    expect(site.polling.handedOver.filter((kind) => kind !== "observe")).toEqual([
      "deliver",
      "deliver",
      "confirm",
    ]);
    expect(site.timers()).toEqual([]);
    expect(await site.handovers()).toEqual([]);
    const again = site.polling.handedOver.length;
    await site.run();
    await site.poll();
    expect(await site.run()).toBe("in_sync");
    expect(site.polling.handedOver.slice(again)).toEqual(["observe"]);
  });

  test("while a router has not reported, its site waits and is given nothing more", async () => {
    await using site = await PolledSite.open(version);
    for (let runs = 0; runs < 3; runs++) expect(await site.run()).toBe("pending");
    expect(site.polling.handedOver).toEqual(["observe"]);
    expect((await site.row()).sync_reason).toMatch(/^handed over to the router, which is to report by /);
    expect(await site.handovers()).toMatchObject([{ kind: "observe", delivery: null, is_answered: false }]);
  });

  test("a change of the management path that is not confirmed in time is undone and not tried again", async () => {
    await using site = await PolledSite.open(version);
    const before = site.rules();
    while (site.timers().length === 0) {
      expect(await site.run()).toBe("pending");
      await site.poll();
    }
    expect(site.rules()).not.toEqual(before);
    await site.router.control.advanceClock((ROLLBACK_SECONDS + 1) * 1000);
    expect(site.rules()).toEqual(before);

    let state = "pending";
    for (let runs = 0; runs < 12 && state === "pending"; runs++) {
      state = await site.run();
      await site.poll();
    }
    expect(state).toBe("needs_attention");
    expect((await site.row()).sync_reason).toMatch(/the router undid the change of the management path/);
    const deliveries = site.polling.handedOver.filter((kind) => kind === "deliver").length;
    for (let runs = 0; runs < 4; runs++) {
      await site.run();
      await site.poll();
    }
    expect(site.polling.handedOver.filter((kind) => kind === "deliver")).toHaveLength(deliveries);
  });
});

/** A site whose router polls. Every run is made by a reconciler of its own, as after a restart. */
class PolledSite implements AsyncDisposable {
  readonly router: Emulator;
  readonly polling: PollingRouter;
  readonly #id: string;

  private constructor(router: Emulator, id: string) {
    this.router = router;
    this.#id = id;
    this.polling = new PollingRouter(router, () => new Date());
  }

  static async open(version: string): Promise<PolledSite> {
    const router = await startEmulator({ version, ports: {}, listen: [], username: "admin", password: "x" });
    const policy = await fleet.createPolicy(2222);
    const [id = ""] = await fleet.addSites(policy, 1);
    return new PolledSite(router, id);
  }

  /** @returns the site's state after it */
  async run(): Promise<string> {
    const { database } = fleet.test;
    const reconciler = new Reconciler({
      database,
      sites: siteRecords(database, new Sightings(database)),
      links: pollingLinks(this.polling),
      workflows: { advance: async () => false },
      handovers: databaseHandovers(database),
      contributors: [policyContributor],
      guard: { menus: ASSESSED_MENUS, reasonAgainst: () => undefined },
      log: pino({ level: "silent" }),
    });
    await reconciler.run(this.#id, SIGNAL);
    return (await this.row()).sync_state;
  }

  /** Two minutes later the router asks for work. */
  async poll(): Promise<void> {
    await this.router.control.advanceClock(POLL_MS);
    await this.polling.poll();
  }

  async row() {
    const site = await fleet.test.database.asSystem((trx) => findSite(trx, this.#id));
    if (!site) throw new Error("the site is gone");
    return site;
  }

  handovers() {
    return fleet.test.database.asSystem((trx) =>
      trx.selectFrom("link_handovers").selectAll().where("site_id", "=", this.#id).execute(),
    );
  }

  rules() {
    const rows = this.router.control.rows("/ip/firewall/filter");
    return rows.map(({ comment, action }) => [comment, action]);
  }

  timers() {
    const rows = this.router.control.rows(rollbackTimerRead.menu);
    return rows.filter(({ name = "" }) => name.startsWith("portreeve-"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.router[Symbol.asyncDispose]();
  }
}

/** Which revision every site is to have, while changes are on their way to many of them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PolicyRow } from "../policies/store.ts";
import { AWAY, FAILED, FixtureFleet, IN_SYNC } from "./fleet.fixture.ts";

const NOT_ADOPTED = {
  site: { status: "pending" },
  connection: { management_address: null },
} as const;

let fleet: FixtureFleet;
let policy: PolicyRow;
/** Forty sites of the policy; its waves end at 1, 2, 10 and 40. */
let siteIds: string[];

beforeEach(async () => {
  fleet = await FixtureFleet.open();
  policy = await fleet.createPolicy(22);
  siteIds = await fleet.addSites(policy, 40);
});
afterEach(() => fleet[Symbol.asyncDispose]());

/** PUT; the id of the rollout under way after it. */
const put = async (port: number) => (await fleet.change(policy.id, port)).rollout_id ?? "";

/** How many sites are under a revision with this SSH port. */
async function under(port: number): Promise<number> {
  return [...(await fleet.ports()).values()].filter((one) => one === port).length;
}

const command = (name: "pause" | "resume" | "rollBack", id: string) =>
  fleet.as((trx) => fleet.rollouts[name](trx, fleet.caller, id));

const at = (index: number) => siteIds[index] as string;

describe("starting", () => {
  test("of many sites one is given the revision in the transaction of the change", async () => {
    const id = await put(2022);
    expect(await under(2022)).toBe(1);
    expect(await fleet.sites(id, "delivering")).toEqual([at(0)]);
    expect(await fleet.sites(id, "waiting")).toHaveLength(39);
  });

  test("of few sites all are", async () => {
    const few = await fleet.createPolicy(23);
    await fleet.addSites(few, 10, { site: { status: "offline" } });
    await fleet.change(few.id, 2023);
    expect(await under(2023)).toBe(10);
  });

  test("a site that is not adopted yet has it at once and is in no rollout", async () => {
    const [fresh] = await fleet.addSites(policy, 1, NOT_ADOPTED);
    const id = await put(2022);
    expect((await fleet.ports()).get(fresh as string)).toBe(2022);
    expect(await under(2022)).toBe(2);
    expect(await fleet.sites(id, "waiting", "delivering")).not.toContain(fresh);
  });

  test("routers that fail already come last, and each version and model comes early", async () => {
    const mixed = await fleet.createPolicy(23);
    const failing = await fleet.addSites(mixed, 1, {
      site: { version: "6.49" },
      sync: { sync_state: "failed" },
    });
    const common = await fleet.addSites(mixed, 38, { site: { version: "7.16" } });
    const rare = await fleet.addSites(mixed, 1, { site: { version: "7.24" } });
    const id = (await fleet.change(mixed.id, 2023)).rollout_id ?? "";
    await fleet.carryOut(id, () => IN_SYNC);
    const waves = await fleet.as((trx) =>
      trx.selectFrom("rollout_sites").select(["site_id", "wave"]).where("rollout_id", "=", id).execute(),
    );
    const waveOf = new Map(waves.map(({ site_id, wave }) => [site_id, wave]));
    const early = [common[0] as string, rare[0] as string].map((site) => waveOf.get(site));
    expect(early.toSorted()).toEqual([1, 2]);
    expect(waveOf.get(failing[0] as string)).toBe(4);
  });

  test("a policy without sites, and the same content once more, start nothing", async () => {
    const empty = await fleet.createPolicy(23);
    expect((await fleet.change(empty.id, 2023)).rollout_id).toBeNull();
    expect((await fleet.change(policy.id, 22)).rollout_id).toBeNull();
  });
});

describe("carrying on", () => {
  test("wave by wave to the end, each when the one before is verified", async () => {
    const id = await put(2022);
    const sizes = [];
    for (;;) {
      const moving = await fleet.sites(id, "delivering");
      if (moving.length === 0) break;
      sizes.push(moving.length);
      for (const siteId of moving) {
        expect(await fleet.sites(id, "delivering")).toContain(siteId);
        await fleet.run(siteId, IN_SYNC);
      }
    }
    expect(sizes).toEqual([1, 1, 8, 30]);
    expect(await fleet.rollout(id)).toMatchObject({ state: "done", ended_at: expect.any(Date) });
    expect(await under(2022)).toBe(40);
  });

  test("a run that had begun before the site was given the revision proves nothing", async () => {
    const { database } = fleet.test;
    const { Sightings, siteRecords } = await import("../sites/index.ts");
    const records = siteRecords(database, new Sightings(database));
    const snapshot = await database.asSystem((trx) => records.load(trx, at(0)));
    if (!snapshot) throw new Error("no site");
    const id = await put(2022);
    for (const outcome of [IN_SYNC, FAILED]) {
      await database.asSystem((trx) => records.finish(trx, snapshot, outcome));
      await fleet.look();
      expect(await fleet.sites(id, "delivering")).toEqual([at(0)]);
    }
    expect(await fleet.rollout(id)).toMatchObject({ state: "running" });
  });

  test("what it was decided by is what is written down, however many runs end meanwhile", async () => {
    const few = await fleet.createPolicy(23);
    const ids = await fleet.addSites(few, 4);
    for (let port = 3000; port < 3020; port++) {
      const id = (await fleet.change(few.id, port)).rollout_id ?? "";
      await Promise.all([
        ...ids.map((siteId) => fleet.find(siteId, IN_SYNC)),
        ...Array.from({ length: 12 }, () => fleet.look()),
      ]);
      await fleet.look();
      expect(await fleet.rollout(id)).toMatchObject({ state: "done" });
      expect(await fleet.sites(id, "verified")).toEqual(ids);
    }
  });

  test("two looks at the same moment start one wave", async () => {
    const id = await put(2022);
    await fleet.find(at(0), IN_SYNC);
    await Promise.all(Array.from({ length: 8 }, () => fleet.look()));
    expect(await under(2022)).toBe(2);
    expect(await fleet.sites(id, "delivering")).toHaveLength(1);
  });
});

describe("sites that can't be reached", () => {
  test("one that is away when its wave comes is let go, and another has its turn", async () => {
    const id = await put(2022);
    await fleet.run(at(0), AWAY);
    expect((await fleet.ports()).get(at(0))).toBe(22);
    expect(await fleet.sites(id, "delivering")).toEqual([at(1)]);
    expect(await fleet.sites(id, "unreachable")).toEqual([at(0)]);
  });

  test("they hold nobody up, keep the rollout under way, and have their turn on return", async () => {
    const away = new Set(siteIds.filter((_, index) => index % 3 === 0));
    for (const siteId of away) await fleet.find(siteId, AWAY);
    const id = await put(2022);
    await fleet.carryOut(id, (siteId) => (away.has(siteId) ? AWAY : IN_SYNC));
    expect(await fleet.sites(id, "verified")).toHaveLength(40 - away.size);
    expect(await fleet.rollout(id)).toMatchObject({ state: "running" });
    for (const siteId of away) await fleet.run(siteId, IN_SYNC);
    expect(await fleet.rollout(id)).toMatchObject({ state: "done" });
    expect(await under(2022)).toBe(40);
  });

  test("when all are away nothing is given to anybody, and the first to return is the canary", async () => {
    for (const siteId of siteIds) await fleet.find(siteId, AWAY);
    const id = await put(2022);
    expect(await under(2022)).toBe(0);
    await fleet.run(at(7), IN_SYNC);
    expect(await fleet.sites(id, "delivering")).toEqual([at(7)]);
  });

  test("a canary that was reached and is away for good stops it", async () => {
    const id = await put(2022);
    await fleet.as((trx) => fleet.seen(trx, at(0)));
    await fleet.run(at(0), AWAY);
    expect(await fleet.rollout(id)).toMatchObject({ state: "running" });
    expect(await fleet.sites(id, "delivering")).toEqual([at(0)]);
    await fleet.as((trx) =>
      trx
        .updateTable("rollout_sites")
        .set({ started_at: new Date(Date.now() - 600_000) })
        .where("wave", "=", 1)
        .execute(),
    );
    await fleet.as((trx) =>
      trx
        .updateTable("sites")
        .set({ last_seen_at: new Date(Date.now() - 300_000) })
        .where("id", "=", at(0))
        .execute(),
    );
    await fleet.look();
    expect(await fleet.rollout(id)).toMatchObject({
      state: "stopped",
      reason: "1 of 1 site of wave 1 failed",
    });
  });
});

describe("stopping", () => {
  test("a wave in which too many fail stops it, and sites that have not been reached are let go", async () => {
    const id = await put(2022);
    await fleet.run(at(0), IN_SYNC);
    await fleet.run(at(1), IN_SYNC);
    expect(await fleet.sites(id, "delivering")).toHaveLength(8);
    await fleet.run(at(2), FAILED);
    expect(await fleet.rollout(id)).toMatchObject({
      state: "stopped",
      reason: "1 of 8 sites of wave 3 failed",
    });
    expect(await under(2022)).toBe(3);
    expect(await fleet.sites(id, "waiting")).toHaveLength(37);
  });

  test("resumed it continues despite the failures, and stops at the next failure", async () => {
    const id = await put(2022);
    await fleet.run(at(0), FAILED);
    await command("resume", id);
    expect(await fleet.sites(id, "delivering")).toEqual([at(1)]);
    await fleet.run(at(1), FAILED);
    expect(await fleet.rollout(id)).toMatchObject({
      state: "stopped",
      reason: "1 of 1 site of wave 2 failed",
    });
    await command("resume", id);
    await fleet.carryOut(id);
    expect(await fleet.rollout(id)).toMatchObject({ state: "done", reason: null });
    expect(await fleet.sites(id, "failed")).toEqual([at(0), at(1)]);
  });

  test("a site that had failed and is repaired counts as verified", async () => {
    const id = await put(2022);
    await fleet.run(at(0), FAILED);
    await fleet.run(at(0), IN_SYNC);
    expect(await fleet.sites(id, "verified")).toEqual([at(0)]);
  });

  test("paused, what is on its way arrives and nothing follows", async () => {
    const id = await put(2022);
    await fleet.as((trx) => fleet.seen(trx, at(0)));
    await command("pause", id);
    await fleet.run(at(0), IN_SYNC);
    expect(await under(2022)).toBe(1);
    await command("resume", id);
    expect(await under(2022)).toBe(2);
  });

  test("what does not fit its state is refused", async () => {
    const id = await put(2022);
    await expect(command("resume", id)).rejects.toMatchObject({ status: 409, code: "rollout-state" });
    await fleet.carryOut(id);
    for (const name of ["pause", "resume", "rollBack"] as const)
      await expect(command(name, id)).rejects.toMatchObject({ status: 409, code: "rollout-state" });
    const nothing = "00000000-0000-4000-8000-000000000000";
    await expect(command("pause", nothing)).rejects.toMatchObject({ status: 404, code: "rollout-not-found" });
  });
});

describe("taking back", () => {
  test("sites that have it go back, the others are left alone, the policy says what it said", async () => {
    const id = await put(2022);
    await fleet.run(at(0), IN_SYNC);
    await fleet.run(at(1), FAILED);
    await command("rollBack", id);
    expect(await under(22)).toBe(40);
    expect(await fleet.sites(id, "reverting")).toEqual([at(0), at(1)]);
    expect((await fleet.as((trx) => fleet.policies.get(trx, policy.id))).services.ssh?.port).toBe(22);
    await fleet.carryOut(id);
    expect(await fleet.rollout(id)).toMatchObject({ state: "rolled_back" });
    expect(await fleet.sites(id, "reverted")).toEqual([at(0), at(1)]);
  });

  test("a site goes back to what it proved last, the policy to what most of them had", async () => {
    const second = await put(2022);
    await fleet.run(at(0), IN_SYNC);
    await fleet.run(at(1), IN_SYNC);
    const third = await put(2023);
    await fleet.run(at(0), FAILED);
    await command("rollBack", third);
    const ports = await fleet.ports();
    expect([at(0), at(1), at(2)].map((id) => ports.get(id))).toEqual([2022, 2022, 22]);
    expect((await fleet.as((trx) => fleet.policies.get(trx, policy.id))).services.ssh?.port).toBe(22);
    expect(await fleet.rollout(second)).toMatchObject({ state: "superseded" });
  });

  test("sites that took it when they were added go back too", async () => {
    const [fresh] = await fleet.addSites(policy, 1, NOT_ADOPTED);
    const id = await put(2022);
    await command("rollBack", id);
    expect((await fleet.ports()).get(fresh as string)).toBe(22);
  });

  test("what a site had before another revision it has to prove anew", async () => {
    const other = await fleet.createPolicy(23);
    await fleet.attach(other.id, [at(0)]);
    await fleet.run(at(0), FAILED);
    await fleet.attach(policy.id, [at(0)]);
    const [site] = await fleet.as((trx) =>
      trx.selectFrom("site_policies").selectAll().where("site_id", "=", at(0)).execute(),
    );
    expect(site?.verified_revision_id).toBeNull();
    await fleet.run(at(0), IN_SYNC);
    expect((await fleet.ports()).get(at(0))).toBe(22);
  });

  test("a site that was under this revision before it moved away and back has nothing to go back to", async () => {
    const other = await fleet.createPolicy(23);
    await fleet.attach(other.id, [at(0)]);
    await fleet.run(at(0), FAILED);
    const { rollout_id: id } = await fleet.attach(policy.id, [at(0)]);
    await fleet.as((trx) => fleet.seen(trx, at(0)));
    await command("rollBack", id ?? "");
    expect((await fleet.ports()).get(at(0))).toBe(22);
    await fleet.run(at(0), IN_SYNC);
    expect(await fleet.rollout(id)).toMatchObject({ state: "rolled_back" });
  });

  test("attached sites go back under the policy they came from, which stays as it is", async () => {
    const other = await fleet.createPolicy(23);
    const attached = await fleet.attach(other.id, siteIds);
    await fleet.run(at(0), FAILED);
    await command("rollBack", attached.rollout_id ?? "");
    const sites = await fleet.as((trx) =>
      trx.selectFrom("site_policies").select("policy_id").distinct().execute(),
    );
    expect(sites).toEqual([{ policy_id: policy.id }]);
    expect(await under(22)).toBe(40);
    expect((await fleet.as((trx) => fleet.policies.get(trx, other.id))).services.ssh?.port).toBe(23);
  });

  test("sites of a deleted policy keep what it said, under the default policy", async () => {
    const [fallback] = await fleet.as((trx) =>
      trx.selectFrom("policies").selectAll().where("is_default", "=", true).execute(),
    );
    await fleet.change(fallback?.id ?? "", 24);
    await fleet.as((trx) => fleet.policies.remove(trx, fleet.caller, policy.id));
    const id = (await fleet.as((trx) => fleet.policies.get(trx, fallback?.id ?? ""))).rollout_id ?? "";
    expect(await under(24)).toBe(1);
    await fleet.run(at(0), FAILED);
    await command("rollBack", id);
    await fleet.carryOut(id);
    expect(await fleet.rollout(id)).toMatchObject({ state: "rolled_back" });
    expect(await under(22)).toBe(40);
    const sites = await fleet.as((trx) =>
      trx.selectFrom("site_policies").select("policy_id").distinct().execute(),
    );
    expect(sites).toEqual([{ policy_id: fallback?.id }]);
  });
});

describe("while one is under way", () => {
  test("a newer change supersedes it and starts from one site again", async () => {
    const first = await put(2022);
    await fleet.run(at(0), IN_SYNC);
    const second = await put(2023);
    expect(await fleet.rollout(first)).toMatchObject({ state: "superseded" });
    expect(await fleet.sites(first, "verified")).toEqual([at(0)]);
    expect(await fleet.sites(first, "left")).toHaveLength(39);
    expect(await fleet.sites(second, "delivering", "waiting")).toHaveLength(40);
    // The site of the second wave had not been reached with the change that nobody wants any more.
    expect(await under(2022)).toBe(0);
    await fleet.carryOut(second);
    expect(await under(2023)).toBe(40);
  });

  test("a site that is attached meanwhile takes part in it, and waits while it is stopped", async () => {
    const other = await fleet.createPolicy(23);
    const [newcomer = ""] = await fleet.addSites(other, 1);
    const id = await put(2022);
    await fleet.run(at(0), FAILED);
    expect((await fleet.attach(policy.id, [newcomer])).rollout_id).toBe(id);
    expect((await fleet.ports()).get(newcomer)).toBe(23);
    await command("resume", id);
    await fleet.carryOut(id);
    expect((await fleet.ports()).get(newcomer)).toBe(2022);
  });

  test("a site that moves away and back before it was reached is as it was", async () => {
    const other = await fleet.createPolicy(23);
    await fleet.attach(other.id, [at(0)]);
    expect((await fleet.attach(policy.id, [at(0)])).rollout_id).toBeNull();
    expect(await under(22)).toBe(40);
  });

  test("a site that moves to another policy leaves it, and comes back into it", async () => {
    const other = await fleet.createPolicy(23);
    const id = await put(2022);
    await fleet.attach(other.id, [at(0)]);
    expect((await fleet.ports()).get(at(0))).toBe(23);
    expect(await fleet.sites(id, "left")).toEqual([at(0)]);
    await fleet.look();
    expect(await fleet.sites(id, "delivering")).toEqual([at(1)]);
    await fleet.attach(policy.id, [at(0)]);
    expect(await fleet.sites(id, "waiting")).toContain(at(0));
  });

  test("a site that is off-boarded or deleted leaves it", async () => {
    const id = await put(2022);
    await fleet.as(async (trx) => {
      await trx.updateTable("sites").set({ status: "deleting" }).where("id", "=", at(0)).execute();
      await trx.deleteFrom("sites").where("id", "=", at(1)).execute();
    });
    await fleet.look();
    expect(await fleet.sites(id, "left")).toEqual([at(0)]);
    expect(await fleet.sites(id, "delivering")).toEqual([at(2)]);
    await fleet.carryOut(id);
    expect(await fleet.sites(id, "verified")).toHaveLength(38);
    expect(await fleet.rollout(id)).toMatchObject({ state: "done" });
  });

  test("changes, looks and deletions at the same moment leave one under way and lose nothing", async () => {
    const work = [2031, 2032, 2033, 2034].flatMap((port, index) => [
      put(port),
      fleet.look(),
      fleet.find(at(index), IN_SYNC),
      fleet.as((trx) =>
        trx
          .deleteFrom("sites")
          .where("id", "=", at(30 + index))
          .execute(),
      ),
    ]);
    await Promise.all(work);
    const [rollout, ...more] = await fleet.as((trx) =>
      trx.selectFrom("rollouts").selectAll().where("ended_at", "is", null).execute(),
    );
    expect(more).toEqual([]);
    await fleet.carryOut(rollout?.id ?? "");
    const current = await fleet.as((trx) => fleet.policies.get(trx, policy.id));
    expect(await under(current.services.ssh?.port ?? 0)).toBe(36);
  });
});

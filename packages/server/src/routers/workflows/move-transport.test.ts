import { afterAll, beforeAll, expect, test } from "vitest";
import { changeIntent } from "../../sites/index.ts";
import { endMove, findMove, startMove } from "./move-transport.ts";
import { WorkflowFleet, type WorkflowSite } from "./workflows.fixture.ts";

let fleet: WorkflowFleet;
beforeAll(async () => {
  fleet = await WorkflowFleet.open();
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

/** A site that comes in by api-ssl, on a router that offers `api` at this port. */
async function moving(portOf: (site: WorkflowSite) => number): Promise<WorkflowSite> {
  const site = await (await fleet.site()).adopted();
  const way = { transport: "api", port: portOf(site), fingerprint: null } as const;
  await site.database.asSystem(async (trx) => {
    await trx
      .updateTable("site_connections")
      .set({ management_transport: "api-ssl", tls_fingerprint: "ab".repeat(32), api_port: 8729 })
      .where("site_id", "=", site.id)
      .execute();
    await startMove(trx, site.id, way);
  });
  return site;
}

const offered = ({ router }: WorkflowSite) => router.port("api");
const move = (site: WorkflowSite) => site.database.asSystem((trx) => findMove(trx, site.id));

test("proving: a login by the other transport has worked, so transport, port and fingerprint change together", async () => {
  await using site = await moving(offered);
  expect(await site.advance()).toBe(true);
  expect(await site.row()).toMatchObject({
    management_transport: "api",
    api_port: site.router.port("api"),
    tls_fingerprint: null,
  });
  expect(await site.state()).toBeUndefined();
  expect(await site.advance()).toBe(false);
});

test("refused: the site stays where it is, and says why until that was seen", async () => {
  await using site = await moving(() => 1);
  expect(await site.advance()).toBe(true);
  expect(await site.row()).toMatchObject({ management_transport: "api-ssl", api_port: 8729 });
  expect(await move(site)).toMatchObject({ refused: expect.stringContaining(":1") });
  expect(await site.advance()).toBe(false);
  await site.database.asSystem((trx) => endMove(trx, site.id));
  expect(await site.state()).toBeUndefined();
});

test("a move that began before the intent changed is not made", async () => {
  await using site = await moving(offered);
  await site.database.asSystem((trx) => changeIntent(trx, [site.id]));
  expect(await site.advance()).toBe(true);
  expect((await site.row()).management_transport).toBe("api-ssl");
  expect(await site.state()).toBeUndefined();
});

test("killed at any transaction, the next process makes it", async () => {
  for (let n = 1, wasKilled = true; wasKilled; n++) {
    await using site = await moving(offered);
    wasKilled = await site.killedAt(n);
    await site.finish();
    expect((await site.row()).management_transport).toBe("api");
    expect(n).toBeLessThan(30);
  }
});

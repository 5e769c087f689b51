import { LoginError } from "@portreeve/routeros";
import { afterAll, beforeAll, expect, test } from "vitest";
import { USERNAME, WorkflowFleet } from "./workflows.fixture.ts";

let fleet: WorkflowFleet;
beforeAll(async () => {
  fleet = await WorkflowFleet.open();
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

async function rotating() {
  const site = await (await fleet.site()).adopted();
  await site.keepNewLogin();
  return site;
}

test("setting: the router has the new password, and the old login stays the active one until that is proved", async () => {
  await using site = await rotating();
  expect(await site.advance()).toBe(true);
  expect(await site.state()).toBe("rotate proving");
  expect(await site.credentials()).toEqual(["active", "pending"]);
  expect(await site.activeWorks()).toBe(false);
});

test("setting: a router that has the new password already shows it by its login", async () => {
  await using site = await rotating();
  await site.advance();
  await site.database.asSystem((trx) => trx.deleteFrom("workflows").execute());
  expect(await site.advance()).toBe(true);
  expect(await site.credentials()).toEqual(["retired", "active"]);
  expect(await site.activeWorks()).toBe(true);
});

test("proving: the new login has worked, so it is the active one and the old one history", async () => {
  await using site = await rotating();
  await site.advance();
  expect(await site.advance()).toBe(true);
  expect(await site.state()).toBeUndefined();
  expect(await site.credentials()).toEqual(["retired", "active"]);
  expect(await site.activeWorks()).toBe(true);
  expect(await site.advance()).toBe(false);
});

test("proving: a login that is refused is set once more; refused again, a person is told", async () => {
  await using site = await rotating();
  await site.advance();
  await site.router.control.setRow("/user", USERNAME, { password: "by-hand" });
  expect(await site.advance()).toBe(true);
  expect(await site.state()).toBe("rotate setting");
  await expect(site.advance()).rejects.toThrow(LoginError); // neither is valid any more
  expect(await site.state()).toBe("rotate setting");
});

test("killed at any transaction, a login that is stored works, and the next process brings it to its end", async () => {
  for (let n = 1, wasKilled = true; wasKilled; n++) {
    await using site = await rotating();
    wasKilled = await site.killedAt(n);
    await site.finish();
    expect(await site.credentials()).toEqual(["retired", "active"]);
    expect(await site.activeWorks()).toBe(true);
    expect(n).toBeLessThan(30);
  }
});

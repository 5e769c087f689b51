import { LoginError } from "@portreeve/routeros";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GIVEN, USERNAME, WorkflowFleet, type WorkflowSite } from "./workflows.fixture.ts";

let fleet: WorkflowFleet;
beforeAll(async () => {
  fleet = await WorkflowFleet.open();
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

const ourUser = ({ router }: WorkflowSite) =>
  router.control.rows("/user").find(({ name }) => name === USERNAME);

test("checking: where no login of ours is known one is kept, before the router hears of it", async () => {
  await using site = await fleet.site();
  expect(await site.advance()).toBe(true);
  expect(await site.state()).toBe("adopt installing");
  expect(await site.credentials()).toEqual(["pending"]);
  expect(ourUser(site)).toBeUndefined();
  expect(site.router.control.transcript()).toEqual([]); // nobody has connected
});

test("checking: where a login of ours works already, the one that was given is destroyed unused", async () => {
  await using site = await fleet.site();
  await site.adopted();
  await site.give({ username: "admin", password: "wrong" });
  await site.finish();
  expect((await site.row()).adoption_login).toBeNull();
  expect(await site.credentials()).toEqual(["active"]);
  expect(await site.state()).toBeUndefined();
});

test("installing: our user is made with the login that was given, which is kept until ours has proved itself", async () => {
  await using site = await fleet.site();
  await site.advance();
  expect(await site.advance()).toBe(true);
  expect(await site.state()).toBe("adopt proving");
  expect(ourUser(site)).toMatchObject({ group: "portreeve-api", disabled: "false" });
  expect(await site.credentials()).toEqual(["pending"]);
  expect((await site.row()).adoption_login).not.toBeNull();
});

test("installing: a login that was refused, because our work is done already, does no harm", async () => {
  await using site = await fleet.site();
  await site.advance();
  await site.advance();
  await site.database.asSystem((trx) => trx.updateTable("workflows").set({ state: "installing" }).execute());
  await site.router.control.setRow("/user", "admin", { password: "changed" });
  expect(await site.advance()).toBe(true);
  expect(await site.credentials()).toEqual(["active"]);
  expect(await site.activeWorks()).toBe(true);
  expect((await site.row()).management_address).not.toBeNull();
});

test("installing: a login that is wrong leaves the workflow where it is, until another one is given", async () => {
  await using site = await fleet.site();
  await site.give({ username: "admin", password: "wrong" });
  await site.advance();
  for (let tries = 0; tries < 2; tries++) {
    await expect(site.advance()).rejects.toThrow(LoginError);
    expect(await site.state()).toBe("adopt installing");
  }
  await site.give(GIVEN);
  await site.finish();
  expect(await site.activeWorks()).toBe(true);
});

test("proving: our login has worked, so it is the active one and the given one is gone", async () => {
  await using site = await fleet.site();
  await site.advance();
  await site.advance();
  expect(await site.advance()).toBe(true);
  expect(await site.state()).toBeUndefined();
  expect(await site.credentials()).toEqual(["active"]);
  expect(await site.row()).toMatchObject({ adoption_login: null, management_address: "127.0.0.1" });
  expect(await site.activeWorks()).toBe(true);
  expect(await site.advance()).toBe(false);
});

test("proving: a login that is refused is made again", async () => {
  await using site = await fleet.site();
  await site.advance();
  await site.advance();
  await site.router.control.removeRow("/user", USERNAME);
  await expect(site.advance()).rejects.toThrow(LoginError);
  expect(await site.state()).toBe("adopt installing");
  await site.finish();
  expect(await site.activeWorks()).toBe(true);
});

test("killed at any transaction, the next process brings it to its end", async () => {
  for (let n = 1, wasKilled = true; wasKilled; n++) {
    await using site = await fleet.site();
    wasKilled = await site.killedAt(n);
    await site.finish();
    expect(await site.credentials()).toEqual(["active"]);
    expect(await site.activeWorks()).toBe(true);
    expect((await site.row()).adoption_login).toBeNull();
    expect(await site.state()).toBeUndefined();
    expect(n).toBeLessThan(30);
  }
});

/** A policy change on its way to many sites, in the web page: how far it is, and what can be done about it. */
import type { Policy } from "@portreeve/api-schema";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { chromiumMissing, expectFits, focused, shows } from "./harness/browser.ts";
import {
  createPolicy,
  expectInSync,
  expectRollout,
  expectStatus,
  type ManagedRouter,
  policyOf,
  waitFor,
} from "./harness/index.ts";
import { PHONE, type Portal, portalScenario } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;
/** More than go at once: a first site, a second one, and the rest. */
const SITES = 11;

const test = portalScenario.extend("all", { scope: "file", auto: true }, ({ portal }) => {
  const names = Array.from({ length: SITES }, (_, index) => `Mast ${index + 1}`);
  return Promise.all(names.map((name) => portal.startSite(name)));
});

describe.skipIf(chromiumMissing !== undefined)(`rollouts in the web page${note}`, () => {
  test("a site that is offline is named with the reason; the rollout is paused, resumed and rolled back", async ({
    portal,
    all,
  }) => {
    const [near, far] = all as [ManagedRouter, ManagedRouter];
    const policy = await policyFor(portal, "Pair", [near, far]);
    const { page } = await portal.signIn();
    await far.router.control.powerOff();
    const id = await change(portal, policy);
    await shows(card(page), /Pair, revision \d/);
    await shows(card(page).getByRole("list", { name: "Waves" }), "Wave 1, 2 sites1 done, 1 offline");
    await shows(card(page).getByRole("list", { name: /^Offline/ }), `${far.site.name} cannot connect to`);

    await press(page, "Pause", "Cancel");
    expect(await focused(page)).toMatch(/^Pause: Pair, revision /);
    await expectRollout(portal.server.api, id, "running");
    await press(page, "Pause", "Pause");
    await shows(card(page), "paused");
    await expectRollout(portal.server.api, id, "paused");
    await press(page, "Resume", "Resume");
    await shows(card(page), "running");
    await press(page, "Roll back", "Roll back");
    await waitFor(() => sshPort(near) === "2022", { what: "the change to be taken back" });
    await far.router.control.powerOn();
    expectStatus(await portal.server.api.post(`/v1/sites/${far.site.id}/reconcile`), 202);
    await expectRollout(portal.server.api, id, "rolled_back");
    await shows(page.getByRole("status"), /^The rollout of Pair, revision \d is rolled back\.$/);
    await card(page).waitFor({ state: "detached" });
  });

  test("a first site that fails stops the rollout with the reason, wave by wave, on a phone as well; it continues when resumed", async ({
    portal,
    all,
  }) => {
    const policy = await policyFor(portal, "Fleet", all);
    for (const managed of all) await letUsIn(managed, false);
    const id = await change(portal, policy);
    const { page } = await portal.signIn(PHONE);
    await shows(card(page), "stopped");
    const { reason } = await expectRollout(portal.server.api, id, "stopped");
    await shows(card(page), reason ?? "no reason");
    await shows(card(page), "In all: 10 waiting, 1 failed");
    const waves = await card(page).getByRole("list", { name: "Waves" }).getByRole("listitem").allInnerTexts();
    expect(waves.map((text) => text.split(/\n+/))).toEqual([
      ["Wave 1, 1 site", "1 failed"],
      ["Wave 2, 1 site", "not begun"],
      ["Wave 3, 9 sites", "not begun"],
    ]);
    await shows(card(page).getByRole("list", { name: "Failed" }), /Mast \d+ login refused/);
    await expectFits(page);

    for (const managed of all) {
      await letUsIn(managed, true);
      expectStatus(await portal.server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
    }
    await press(page, "Resume", "Resume");
    await expectRollout(portal.server.api, id, "done");
    await card(page).waitFor({ state: "detached" });
    expect(all.map(sshPort)).toEqual(all.map(() => "2222"));
  });

  test("a command that comes too late is refused in the question, in words", async ({ portal, all }) => {
    const [near, far] = all as [ManagedRouter, ManagedRouter];
    const policy = await policyFor(portal, "Late", [near, far]);
    await far.router.control.powerOff();
    const id = await change(portal, policy);
    const visitor = await portal.signIn();
    visitor.expectComplaint(/status of 409/);
    const { page } = visitor;
    await page.getByRole("button", { name: /^Pause: Late, revision / }).click();
    expectStatus(await portal.server.api.post(`/v1/rollouts/${id}/pause`), 200);
    const question = page.getByRole("dialog");
    await question.getByRole("button", { name: "Pause" }).click();
    await shows(question.getByRole("alert"), "It is paused; this needs one that is running.");
    await far.router.control.powerOn();
  });
});

const card = (page: Page) => page.getByRole("article").filter({ hasText: ", revision " });

const sshPort = ({ router }: ManagedRouter) =>
  router.control.rows("/ip/service").find(({ name }) => name === "ssh")?.port;

async function policyFor(portal: Portal, name: string, managed: readonly ManagedRouter[]): Promise<Policy> {
  const { api } = portal.server;
  const policy = await createPolicy(api, { name });
  const sites = managed.map(({ site }) => site.id);
  expectStatus(await api.put(`/v1/control-plane/policies/${policy.id}/sites`, { sites }), 200);
  for (const id of sites) await expectInSync(api, id);
  return policy;
}

/** @returns the id of the rollout that follows */
async function change(portal: Portal, { id, name }: Policy): Promise<string> {
  const body = policyOf({ name, ssh: { port: 2222 } });
  const changed: Policy = expectStatus(
    await portal.server.api.put(`/v1/control-plane/policies/${id}`, body),
    200,
  );
  return changed.rollout?.id ?? "";
}

async function letUsIn({ router: { control } }: ManagedRouter, isWelcome: boolean): Promise<void> {
  const ours = control.rows("/user").find(({ name }) => name === "portreeve-api");
  await control.setRow("/user", ours?.[".id"] ?? "", { disabled: isWelcome ? "no" : "yes" });
  // The kept connection stays open until the router ends it.
  if (!isWelcome) await control.reboot();
}

/** Press a rollout's button, and one of the question that follows. */
async function press(page: Page, command: string, answer: string): Promise<void> {
  await page.getByRole("button", { name: new RegExp(`^${command}: `) }).click();
  await page.getByRole("dialog").getByRole("button", { name: answer }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
}

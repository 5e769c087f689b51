/** A policy changed in the web page: seen first, corrected where the server points, then saved. */
import type { Policy } from "@portreeve/api-schema";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chromiumMissing, expectFits, focused, shows } from "./harness/browser.ts";
import {
  createPolicy,
  expectInSync,
  expectStatus,
  type ManagedRouter,
  PORTS,
  waitFor,
} from "./harness/index.ts";
import { PHONE, Portal } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

let portal: Portal;
let quay: ManagedRouter;
let mast: ManagedRouter;
let offices: Policy;

describe.skipIf(chromiumMissing !== undefined)(`a policy in the web page${note}`, () => {
  beforeAll(async () => {
    portal = await Portal.start();
    quay = await portal.startSite("Quay");
    mast = await portal.startSite("Mast");
  });

  afterAll(() => portal?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    const { api } = portal.server;
    offices = await createPolicy(api, { name: "Offices", brute_force_protection: true, drift: "report" });
    const sites = [quay.site.id, mast.site.id];
    expectStatus(await api.put(`${path()}/sites`, { sites }), 200);
    for (const id of sites) await expectInSync(api, id);
    await waitFor(async () => (await stored()).rollout === null, { what: "the rollout to end" });
    offices = await stored();
  });

  afterEach(async () => {
    for (const visitor of await portal.leave()) portal.expectWellBehaved(visitor);
    expectStatus(await portal.server.api.delete(path()), 204);
  });

  test("a draft is previewed for each site and changes nothing until it is saved", async () => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    await service(form, "WinBox").getByLabel("WinBox").uncheck();
    await service(form, "HTTP").getByLabel("HTTP", { exact: true }).check();
    await service(form, "HTTP").getByLabel("Networks").fill("0.0.0.0/0");
    await form.getByRole("button", { name: "Preview" }).click();
    for (const name of ["Quay", "Mast"]) {
      const site = form.locator("#policy-preview > details").filter({ hasText: name });
      await site.getByText(name, { exact: true }).click();
      await shows(site.getByRole("list", { name: "Steps" }), '[find name="winbox"] disabled=yes');
      await shows(site.getByRole("table", { name: "Who can still get in" }), "yes → no");
      await shows(site, "http is open to the whole internet");
    }
    expect(await stored()).toEqual(offices);

    await form.getByRole("button", { name: "Save" }).click();
    await shows(page.getByRole("status"), "The policy Offices is saved.");
    await shows(page.locator(".message.warned"), "http is open to the whole internet");
    const winbox = () => quay.router.control.rows("/ip/service").find(({ name }) => name === "winbox");
    await waitFor(() => winbox()?.disabled === "true", { what: "the router to close WinBox" });
    await shows(page.getByRole("article").filter({ hasText: "Offices" }), "0.0.0.0/0");
  });

  test("a draft that changes after its preview is shown without it", async () => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    await form.getByRole("button", { name: "Preview" }).click();
    await shows(form, "What each site would get");
    await service(form, "SSH").getByLabel("Port").fill("2222");
    await form.getByText("What each site would get").waitFor({ state: "detached" });
  });

  test.each(["Preview", "Save"])(
    "what is wrong is said beside its field at %s, and accepted once corrected",
    async (button) => {
      const visitor = await portal.signIn();
      visitor.expectComplaint(/status of 422/);
      const form = await edit(visitor.page);
      const ssh = service(form, "SSH");
      await ssh.getByLabel("Networks").fill("10.20.0.0/16\n10.0.0.1/8");
      await service(form, "FTP").getByLabel("Port").fill("70000");
      await form.getByRole("button", { name: button }).click();
      await shows(ssh, "entry 2 has host bits set; write 10.0.0.0/8");
      await shows(service(form, "FTP"), "must be from 1 to 65535");
      await shows(form.getByRole("alert"), "Please correct what is marked.");
      expect(await focused(visitor.page)).toBe("Networks");
      await ssh.getByLabel("Networks").fill("127.0.0.0/8, 10.0.0.0/8");
      await service(form, "FTP").getByLabel("Port").fill(String(PORTS.ftp));
      await form.getByRole("button", { name: "Save" }).click();
      await form.waitFor({ state: "hidden" });
      expect((await stored()).ssh.networks).toEqual(expect.arrayContaining(["127.0.0.0/8", "10.0.0.0/8"]));
    },
  );

  test("saving a form that nobody changed leaves the policy as it was, with what the form does not show", async () => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    const { updated_at, rollout, ...now } = await stored();
    expect(offices).toMatchObject(now);
  });

  test("the other settings are shown as they are and saved as they were set", async () => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    expect(await form.getByLabel("Ban who connects too often").isChecked()).toBe(true);
    expect(await form.getByLabel("is shown and left").isChecked()).toBe(true);
    await form.getByLabel("Ban who connects too often").uncheck();
    await form.getByLabel("input rules stay ahead").uncheck();
    await form.getByLabel("is undone").check();
    await form.getByLabel("Trusted networks", { exact: true }).fill("127.0.0.0/8");
    await form.getByLabel("Name").fill("Branch offices");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    expect(await stored()).toMatchObject({
      name: "Branch offices",
      trusted_networks: ["127.0.0.0/8"],
      custom_input_rules: false,
      brute_force_protection: false,
      drift: "repair",
    });
  });

  test("a change that would lock out who makes it is saved once they have said why, for this draft alone", async () => {
    const visitor = await portal.signIn();
    visitor.expectComplaint(/status of 422/);
    const form = await edit(visitor.page);
    const reason = form.getByLabel("Why your own access may end");
    expect(await reason.isVisible()).toBe(false);
    await service(form, "WinBox").getByLabel("WinBox").uncheck();
    await service(form, "SSH").getByLabel("Networks").fill("10.0.0.0/8");
    await form.getByRole("button", { name: "Save" }).click();
    await shows(form.getByRole("alert"), "This would end the access of 127.0.0.1");
    await shows(
      service(form, "SSH"),
      /would end the access of 127\.0\.0\.1, where you are, to (Mast, Quay|Quay, Mast)/,
    );
    expect(await focused(visitor.page)).toBe("Why your own access may end");
    await reason.fill("the old office is closed");

    await service(form, "SSH").getByLabel("Networks").fill("10.1.0.0/16");
    await reason.waitFor({ state: "hidden" });
    await form.getByRole("button", { name: "Save" }).click();
    await reason.waitFor();
    expect(await reason.inputValue()).toBe("");
    expect(await stored()).toEqual(offices);
    await reason.fill("the new office is open");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    const audit = expectStatus(await portal.server.api.get("/v1/audit?action=policy.updated&limit=1"), 200);
    expect(JSON.stringify(audit.data)).toContain("the new office is open");
  });

  test("a router that is away is named with the reason, beside what the others would get; on a phone as well", async () => {
    await mast.router.control.powerOff();
    const { page } = await portal.signIn(PHONE);
    const form = await edit(page);
    await service(form, "SSH").getByLabel("Port").fill("2222");
    await form.getByRole("button", { name: "Preview" }).tap();
    const preview = form.locator("#policy-preview > details");
    await shows(preview.filter({ hasText: "Mast not reached" }), mast.router.address);
    await preview.getByText("Quay", { exact: true }).tap();
    await shows(preview.filter({ hasText: "Quay" }), "port=2222");
    await expectFits(page);
    await mast.router.control.powerOn();
  });
});

const path = () => `/v1/control-plane/policies/${offices.id}`;

const stored = async (): Promise<Policy> => expectStatus(await portal.server.api.get(path()), 200);

async function edit(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Edit the policy Offices" }).click();
  const form = page.getByRole("dialog", { name: "Edit Offices" });
  await form.waitFor();
  return form;
}

const service = (form: Locator, name: string) => form.getByRole("group", { name, exact: true });

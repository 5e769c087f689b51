/** A policy changed in the web page: seen first, corrected where the server points, then saved. */
import type { Policy } from "@portreeve/api-schema";
import type { Locator, Page } from "playwright-core";
import { describe, expect } from "vitest";
import { chromiumMissing, expectFits, focused, shows } from "./harness/browser.ts";
import { createPolicy, expectInSync, expectStatus, PORTS, waitFor } from "./harness/index.ts";
import { PHONE, type Portal, portalScenario } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

const test = portalScenario
  .extend("quay", { scope: "file", auto: true }, ({ portal }) => portal.startSite("Quay"))
  .extend("mast", { scope: "file", auto: true }, ({ portal }) => portal.startSite("Mast"))
  /** The policy of both, as each test finds it. */
  .extend("offices", { auto: true }, async ({ server, portal, quay, mast }, { onCleanup }) => {
    const change = { name: "Offices", brute_force_protection: true, drift: "report" };
    const created = await createPolicy(server.api, change);
    const sites = [quay.site.id, mast.site.id];
    expectStatus(await server.api.put(`${path(created)}/sites`, { sites }), 200);
    for (const id of sites) await expectInSync(server.api, id);
    await waitFor(async () => (await stored(portal, created)).rollout === null, {
      what: "the rollout to end",
    });
    onCleanup(async () => {
      await portal.leave();
      expectStatus(await server.api.delete(path(created)), 204);
    });
    return stored(portal, created);
  });

describe.skipIf(chromiumMissing !== undefined)(`a policy in the web page${note}`, () => {
  test("a draft is previewed for each site and changes nothing until it is saved", async ({
    portal,
    quay,
    offices,
  }) => {
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
      await shows(site.getByRole("table", { name: "Who still has access" }), "yes → no");
      await shows(site, "http is open to the whole internet");
    }
    expect(await stored(portal, offices)).toEqual(offices);

    await form.getByRole("button", { name: "Save" }).click();
    await shows(page.getByRole("status"), "The policy Offices is saved.");
    await shows(page.locator(".message.warned"), "http is open to the whole internet");
    const winbox = () => quay.router.control.rows("/ip/service").find(({ name }) => name === "winbox");
    await waitFor(() => winbox()?.disabled === "true", { what: "the router to close WinBox" });
    await shows(page.getByRole("article").filter({ hasText: "Offices" }), "0.0.0.0/0");
  });

  test("a draft that changes after its preview is shown without it", async ({ portal }) => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    await form.getByRole("button", { name: "Preview" }).click();
    await shows(form, "What each site would get");
    await service(form, "SSH").getByLabel("Port").fill("2222");
    await form.getByText("What each site would get").waitFor({ state: "detached" });
  });

  test.for(["Preview", "Save"])(
    "what is wrong is said beside its field at %s, and accepted once corrected",
    async (button, { portal, offices }) => {
      const visitor = await portal.signIn();
      visitor.expectComplaint(/status of 422/);
      const form = await edit(visitor.page);
      const ssh = service(form, "SSH");
      await ssh.getByLabel("Networks").fill("10.20.0.0/16\n10.0.0.1/8");
      await service(form, "FTP").getByLabel("Port").fill("70000");
      await form.getByRole("button", { name: button }).click();
      await shows(ssh, "entry 2 has host bits set; write 10.0.0.0/8");
      await shows(service(form, "FTP"), "must be from 1 to 65535");
      await shows(form.getByRole("alert"), "Please correct the marked fields.");
      expect(await focused(visitor.page)).toBe("Networks");
      await ssh.getByLabel("Networks").fill("127.0.0.0/8, 10.0.0.0/8");
      await service(form, "FTP").getByLabel("Port").fill(String(PORTS.ftp));
      await form.getByRole("button", { name: "Save" }).click();
      await form.waitFor({ state: "hidden" });
      expect((await stored(portal, offices)).ssh.networks).toEqual(
        expect.arrayContaining(["127.0.0.0/8", "10.0.0.0/8"]),
      );
    },
  );

  test("saving a form that nobody changed leaves the policy as it was, with what the form does not show", async ({
    portal,
    offices,
  }) => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    const { updated_at, rollout, ...now } = await stored(portal, offices);
    expect(offices).toMatchObject(now);
  });

  test("the other settings are shown as they are and saved as they were set", async ({ portal, offices }) => {
    const { page } = await portal.signIn();
    const form = await edit(page);
    expect(await form.getByLabel("Ban sources outside the trusted networks").isChecked()).toBe(true);
    expect(await form.getByLabel("is shown and left").isChecked()).toBe(true);
    await form.getByLabel("Ban sources outside the trusted networks").uncheck();
    await form.getByLabel("input rules stay ahead").uncheck();
    await form.getByLabel("is undone").check();
    await form.getByLabel("Trusted networks", { exact: true }).fill("127.0.0.0/8");
    await form.getByLabel("Name").fill("Branch offices");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    expect(await stored(portal, offices)).toMatchObject({
      name: "Branch offices",
      trusted_networks: ["127.0.0.0/8"],
      custom_input_rules: false,
      brute_force_protection: false,
      drift: "repair",
    });
  });

  test("a change that would lock out who makes it is saved once they have said why, for this draft alone", async ({
    portal,
    offices,
  }) => {
    const visitor = await portal.signIn();
    visitor.expectComplaint(/status of 422/);
    const form = await edit(visitor.page);
    const reason = form.getByLabel("Why your own access may end");
    expect(await reason.isVisible()).toBe(false);
    await service(form, "WinBox").getByLabel("WinBox").uncheck();
    await service(form, "SSH").getByLabel("Networks").fill("10.0.0.0/8");
    await form.getByRole("button", { name: "Save" }).click();
    await shows(form.getByRole("alert"), "This would end your access from 127.0.0.1");
    await shows(service(form, "SSH"), /would end your access from 127\.0\.0\.1 to (Mast, Quay|Quay, Mast)/);
    expect(await focused(visitor.page)).toBe("Why your own access may end");
    await reason.fill("the old office is closed");

    await service(form, "SSH").getByLabel("Networks").fill("10.1.0.0/16");
    await reason.waitFor({ state: "hidden" });
    await form.getByRole("button", { name: "Save" }).click();
    await reason.waitFor();
    expect(await reason.inputValue()).toBe("");
    expect(await stored(portal, offices)).toEqual(offices);
    await reason.fill("the new office is open");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "hidden" });
    const audit = expectStatus(await portal.server.api.get("/v1/audit?action=policy.updated&limit=1"), 200);
    expect(JSON.stringify(audit.data)).toContain("the new office is open");
  });

  test("a router that is away is named with the reason, beside what the others would get; on a phone as well", async ({
    portal,
    mast,
  }) => {
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

const path = (offices: Policy) => `/v1/control-plane/policies/${offices.id}`;

const stored = async (portal: Portal, offices: Policy): Promise<Policy> =>
  expectStatus(await portal.server.api.get(path(offices)), 200);

async function edit(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Edit the policy Offices" }).click();
  const form = page.getByRole("dialog", { name: "Edit Offices" });
  await form.waitFor();
  return form;
}

const service = (form: Locator, name: string) => form.getByRole("group", { name, exact: true });

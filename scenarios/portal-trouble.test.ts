/** A site that is not as it should be, in the web page: what is wrong with it, and another try. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { chromiumMissing, shows, siteRow } from "./harness/browser.ts";
import { createPolicy, expectInSync, expectStatus, expectSync, type ManagedRouter } from "./harness/index.ts";
import { Portal } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

let portal: Portal;
let mill: ManagedRouter;

describe.skipIf(chromiumMissing !== undefined)(`a site in trouble in the web page${note}`, () => {
  beforeAll(async () => {
    portal = await Portal.start();
    mill = await portal.startSite("Mill");
  });

  afterAll(() => portal?.[Symbol.asyncDispose]());

  afterEach(async () => {
    for (const visitor of await portal.leave()) portal.expectWellBehaved(visitor);
  });

  test("drift that is only reported is shown with each change in full, and tried again once it is undone", async () => {
    const { api } = portal.server;
    const { id } = await createPolicy(api, { name: "Report only", drift: "report" });
    expectStatus(await api.put(`/v1/control-plane/policies/${id}/sites`, { sites: [mill.site.id] }), 200);
    await expectInSync(api, mill.site.id);
    const { page } = await portal.signIn();
    expect(await page.getByRole("button", { name: "Try again: Mill" }).count()).toBe(0);

    await mill.router.control.setRow("/ip/service", "telnet", { disabled: "no" });
    await page.getByRole("button", { name: "Reconcile now: Mill" }).click();
    await shows(siteRow(page, "Mill"), "drifted");
    const { sync } = await expectSync(api, mill.site.id, "drifted");
    await shows(siteRow(page, "Mill"), sync.reason ?? "no reason");

    await mill.router.control.setRow("/ip/service", "telnet", { disabled: "yes" });
    await page.getByRole("button", { name: "Try again: Mill" }).click();
    await shows(siteRow(page, "Mill"), "in sync");
    await page.getByRole("button", { name: "Reconcile now: Mill" }).waitFor();
  });

  test("a router that refuses our login needs attention, says why, and is well again after another try", async () => {
    const { page } = await portal.signIn();
    const { control } = mill.router;
    const ours = control.rows("/user").find(({ name }) => name === "portreeve-api")?.[".id"] ?? "";
    await control.setRow("/user", ours, { disabled: "yes" });
    // The connection that is kept goes on until the router ends it.
    await control.reboot();
    await page.getByRole("button", { name: "Reconcile now: Mill" }).click();
    await shows(siteRow(page, "Mill"), "needs attention");
    await shows(siteRow(page, "Mill"), "login refused");

    await control.setRow("/user", ours, { disabled: "no" });
    await page.getByRole("button", { name: "Try again: Mill" }).click();
    await shows(siteRow(page, "Mill"), "in sync");
  });
});

/** A site that is not as it should be, in the web page: what is wrong with it, and another try. */
import { describe, expect } from "vitest";
import { chromiumMissing, shows, siteRow } from "./harness/browser.ts";
import { createPolicy, expectInSync, expectStatus, expectSync, TELLS_NOTHING } from "./harness/index.ts";
import { portalScenario } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

const test = portalScenario.extend("mill", { scope: "file", auto: true }, ({ portal }) =>
  portal.startSite("Mill", TELLS_NOTHING),
);

describe.skipIf(chromiumMissing !== undefined)(`a site in trouble in the web page${note}`, () => {
  test("drift that is only reported is shown with each change in full, and tried again once it is undone", async ({
    portal,
    mill,
  }) => {
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

  test("a router that refuses our login needs attention, says why, and is well again after another try", async ({
    portal,
    mill,
  }) => {
    const { page } = await portal.signIn();
    const { control } = mill.router;
    const ours = control.rows("/user").find(({ name }) => name === "portreeve-api")?.[".id"] ?? "";
    await control.setRow("/user", ours, { disabled: "yes" });
    // The kept connection stays open until the router ends it.
    await control.reboot();
    await page.getByRole("button", { name: "Reconcile now: Mill" }).click();
    await shows(siteRow(page, "Mill"), "needs attention");
    await shows(siteRow(page, "Mill"), "login refused");

    await control.setRow("/user", ours, { disabled: "no" });
    await page.getByRole("button", { name: "Try again: Mill" }).click();
    await shows(siteRow(page, "Mill"), "in sync");
  });
});

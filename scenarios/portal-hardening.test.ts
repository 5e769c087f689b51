/** A site's hardening report in the web page: read, fixed, and no longer kept. */
import type { Finding } from "@portreeve/api-schema";
import type { Locator, Page } from "playwright-core";
import { describe, expect } from "vitest";
import { chromiumMissing, expectFits, shows } from "./harness/browser.ts";
import { expectStatus, type ManagedRouter, waitFor } from "./harness/index.ts";
import { HOSTILE, PHONE, type Portal, portalScenario } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;
const BANDWIDTH = "The bandwidth test server is off";

const test = portalScenario.extend("quay", { scope: "file", auto: true }, async ({ portal }) => {
  const quay = await portal.startSite("Quay");
  const script = { name: HOSTILE, source: ":put 1", "dont-require-permissions": "yes" };
  await quay.router.control.addRow("/system/script", script);
  return quay;
});

describe.skipIf(chromiumMissing !== undefined)(`hardening in the web page${note}`, () => {
  test("the score and the findings that need somebody are shown by severity, the others behind a click", async ({
    portal,
    quay,
  }) => {
    const { score, findings } = await report(portal, quay);
    const { page } = await portal.signIn();
    const dialog = await open(page);
    const ofStatus = (...wanted: string[]) => findings.filter(({ status }) => wanted.includes(status));
    await shows(
      dialog.getByRole("status"),
      `Score ${score} of 100, ${ofStatus("open").length} findings are open.`,
    );
    for (const { severity, title, detail } of ofStatus("open", "unknown")) {
      const item = finding(dialog.getByRole("list", { name: severity }), title);
      expect(await item.innerText()).toContain(title);
      await shows(item, detail.split("<")[0] ?? "");
    }
    const inOrder = ofStatus("ok", "not_applicable");
    expect(await dialog.getByRole("list", { name: "In order" }).isVisible()).toBe(false);
    await dialog.getByText(`${inOrder.length} in order or not applicable`).click();
    const listed = dialog.getByRole("list", { name: "In order" });
    expect(await listed.locator("> li").count()).toBe(inOrder.length);
  });

  test("a finding shows what it rests on, why it matters, its source, and the steps of its fix", async ({
    portal,
    quay,
  }) => {
    const wanted = (await report(portal, quay)).findings.find(({ title }) => title === BANDWIDTH) as Finding;
    const { page } = await portal.signIn();
    const item = finding(await open(page), BANDWIDTH);
    await item.getByText(BANDWIDTH).click();
    for (const text of [wanted.why, "/tool/bandwidth-server", "enabled=true"]) await shows(item, text);
    await shows(item.getByRole("list", { name: "Steps" }), "/tool bandwidth-server set enabled=no");
    const source = item.getByRole("link", { name: wanted.source.title });
    expect(await source.getAttribute("href")).toBe(wanted.source.url);
    expect(await source.getAttribute("rel")).toContain("noopener");
  });

  test("chosen fixes are delivered and kept, and stopping one leaves the router as it is", async ({
    portal,
    quay,
  }) => {
    const { page } = await portal.signIn();
    const dialog = await open(page);
    const apply = dialog.getByRole("button", { name: /^Fix \w/ });
    expect(await apply.isDisabled()).toBe(true);
    await dialog.getByLabel(`Fix: ${BANDWIDTH}`).check();
    await shows(finding(dialog, BANDWIDTH).getByRole("list", { name: "Steps" }), "enabled=no");
    await dialog.getByLabel("Fix: SSH offers strong ciphers only").check();
    await dialog.getByRole("button", { name: "Fix 2 findings" }).click();
    await shows(dialog.getByRole("status"), "The reconciler delivers the fixes now");
    const enabled = () => quay.router.control.rows("/tool/bandwidth-server")[0]?.enabled;
    await waitFor(() => enabled() === "false", { what: "the fix on the router" });

    await dialog.getByRole("button", { name: "Close" }).click();
    const again = await open(page);
    await again.getByText(/in order or not applicable$/).click();
    await shows(finding(again, BANDWIDTH), "enforced");
    await finding(again, BANDWIDTH).getByText(BANDWIDTH).click();
    await again.getByRole("button", { name: `Stop fixing: ${BANDWIDTH}` }).click();
    await waitFor(
      async () => !(await report(portal, quay)).findings.find(({ title }) => title === BANDWIDTH)?.enforced,
    );
    await again.getByRole("button", { name: `Stop fixing: ${BANDWIDTH}` }).waitFor({ state: "detached" });
    expect(enabled()).toBe("false");
  });

  test("a script whose name is markup and an escape sequence is named in text, on a phone as well", async ({
    portal,
  }) => {
    const { page } = await portal.signIn(PHONE);
    const dialog = await open(page);
    for (const summary of await dialog.locator(".finding summary").all()) {
      if (await summary.isVisible()) await summary.tap();
    }
    await shows(dialog, `<img src=x onerror=`);
    expect(await page.locator("dialog img, main img").count()).toBe(0);
    expect(await page.content()).not.toContain("\u001b");
    await expectFits(page);
  });

  test("a router that is away is said to be, with the reason", async ({ portal, quay }) => {
    await quay.router.control.powerOff();
    const visitor = await portal.signIn();
    visitor.expectComplaint(/status of 50[23]/);
    await visitor.page.getByRole("button", { name: "Show the hardening of Quay" }).click();
    await shows(visitor.page.getByRole("dialog").getByRole("alert"), quay.router.address);
    await quay.router.control.powerOn();
  });
});

async function report(portal: Portal, quay: ManagedRouter): Promise<{ score: number; findings: Finding[] }> {
  return expectStatus(await portal.server.api.get(`/v1/sites/${quay.site.id}/hardening`), 200);
}

async function open(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Show the hardening of Quay" }).click();
  const dialog = page.getByRole("dialog", { name: "Hardening of Quay" });
  await shows(dialog.getByRole("status"), /^Score \d+ of 100/);
  return dialog;
}

const finding = (place: Locator, title: string) => place.locator("li.finding").filter({ hasText: title });

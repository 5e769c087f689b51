/** What the web page shows of a change before it is made: steps, input chain, and who can still get in. */
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { chromiumMissing, expectFits, shows } from "./harness/browser.ts";
import { TELLS_NOTHING } from "./harness/index.ts";
import { HOSTILE, PHONE, portalScenario } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

const test = portalScenario.extend("quay", { scope: "file", auto: true }, async ({ portal }) => {
  // A router that tells nothing of changes: those that are made here stay, for the plan to show.
  const quay = await portal.startSite("Quay", { ...TELLS_NOTHING, identity: HOSTILE });
  const { control } = quay.router;
  const offices = {
    chain: "input",
    action: "accept",
    protocol: "tcp",
    "dst-port": String(quay.router.port("ssh")),
  };
  await control.addRow("/ip/firewall/filter", {
    ...offices,
    "src-address": "203.0.113.0/24",
    comment: HOSTILE,
  });
  await control.setRow("/ip/service", "telnet", { disabled: "no" });
  await control.setRow("/ip/service", "ssh", { address: "10.0.0.0/8" });
  return quay;
});

describe.skipIf(chromiumMissing !== undefined)(`a site's plan in the web page${note}`, () => {
  test("each step is shown in RouterOS's words with what it replaces", async ({ portal }) => {
    const { page } = await portal.signIn();
    const plan = await showPlan(page);
    const step = plan.getByRole("list", { name: "Steps" }).getByRole("listitem");
    await shows(step.filter({ hasText: '[find name="telnet"] disabled=yes' }), "now disabled=no");
    await shows(step.filter({ hasText: '[find name="ssh"] address=' }), "now address=10.0.0.0/8");
  });

  test("who can still get in is shown for each source and service, with what decides", async ({ portal }) => {
    const { page } = await portal.signIn();
    const table = (await showPlan(page)).getByRole("table", { name: "Who still has access" });
    const heads = await table.getByRole("columnheader").allInnerTexts();
    expect(heads).toEqual(["Source", "WinBox", "SSH", "Telnet", "API"]);
    const cell = (source: string, service: string) =>
      table
        .getByRole("row")
        .filter({ hasText: source })
        .getByRole("cell")
        .nth(heads.indexOf(service) - 1);
    expect(await cell("Portreeve itself", "API").innerText()).toBe("yes");
    expect(await cell("You", "Telnet").innerText()).toBe("yes → no");
    await cell("You", "Telnet").getByText("no", { exact: true }).click();
    await shows(cell("You", "Telnet"), "After: no (service telnet is disabled)");
    await shows(
      page.getByRole("dialog"),
      "Closed to everybody, before and after: HTTP, HTTPS, FTP, API-SSL.",
    );
  });

  test("the input chain afterwards has the router's rules and, marked, Portreeve's", async ({ portal }) => {
    const { page } = await portal.signIn();
    const plan = await showPlan(page);
    await plan.getByText(/^IPv4: \d+ rules, \d+ of Portreeve$/).click();
    const rule = plan.getByRole("list", { name: "Input chain, IPv4" }).getByRole("listitem");
    await shows(rule.filter({ hasText: "jump-target=portreeve" }), /Portreeve$/);
    await shows(rule.filter({ hasText: "203.0.113.0/24" }), /"$/);
    await plan.getByText(/^IPv6: /).click();
    await plan.getByRole("list", { name: "Input chain, IPv6" }).waitFor();
  });

  test("a comment that is markup and a terminal's escape sequence is shown as text, in rules and in warnings", async ({
    portal,
  }) => {
    const { page } = await portal.signIn();
    const plan = await showPlan(page);
    await plan.getByText(/^IPv4: /).click();
    for (const place of [plan.locator(".warnings"), plan.locator(".chain")]) {
      await shows(place, `<img src=x onerror=`);
      await shows(place, "\\1B[31m");
    }
    expect(await page.locator("dialog img, main img").count()).toBe(0);
    expect(await page.content()).not.toContain("\u001b");
  });

  test("on a phone each source has its list of services, and nothing is wider than the screen", async ({
    portal,
  }) => {
    const { page } = await portal.signIn(PHONE);
    const plan = await showPlan(page);
    for (const family of [/^IPv4: /, /^IPv6: /]) await plan.getByText(family).tap();
    for (const summary of await plan.locator(".access summary").all()) await summary.tap();
    await expectFits(page);
    const [source, service] = await Promise.all(
      [".access tbody th", ".access tbody td"].map((part) => plan.locator(part).first().boundingBox()),
    );
    expect(service?.y).toBeGreaterThanOrEqual((source?.y ?? 0) + (source?.height ?? 0));
  });

  test("an answer that comes after its dialog was closed is not shown in the next one", async ({
    portal,
  }) => {
    const { page } = await portal.signIn();
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/plan", async (route) => {
      await held;
      await route.continue();
    });
    await page.getByRole("button", { name: "Show the plan for Quay" }).click();
    await shows(page.getByRole("dialog"), "Asking the router…");
    await page.keyboard.press("Escape");
    const answered = page.waitForResponse("**/plan");
    answer();
    await (await answered).finished();
    await shows(page.getByRole("status"), "As of ");
    expect(await page.locator("#plan-effect").textContent()).toBe("");
  });
});

async function showPlan(page: Page) {
  await page.getByRole("button", { name: "Show the plan for Quay" }).click();
  const plan = page.getByRole("dialog", { name: "Plan for Quay" });
  await shows(plan, "Nothing has been changed yet.");
  return plan;
}

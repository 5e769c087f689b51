/** What a site's ports answer to somebody outside, in the web page. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { Locator, Page } from "playwright-core";
import { describe, expect } from "vitest";
import { chromiumMissing, expectFits, shows, siteRow } from "./harness/browser.ts";
import { expectStatus, type ManagedRouter, PORTS, policyOf, TELLS_NOTHING } from "./harness/index.ts";
import { PHONE, portalScenario } from "./harness/portal.ts";

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;
const AGAINST = "1 port open against the policy";

const test = portalScenario.extend("quay", { scope: "file", auto: true }, async ({ server, portal }) => {
  // Whether WinBox keeps a connection is seen after a while only.
  const [standard] = expectStatus(await server.api.get("/v1/control-plane/policies"), 200);
  const body = policyOf({ name: "Default Policy", winbox: { enabled: false } });
  expectStatus(await server.api.put(`/v1/control-plane/policies/${standard.id}`, body), 200);
  return portal.startSite("Quay", TELLS_NOTHING);
});

describe.skipIf(chromiumMissing !== undefined)(`exposure in the web page${note}`, () => {
  test("a site nobody has looked at says so, and a check shows each port as it is and as the policy wants it", async ({
    portal,
  }) => {
    const { page } = await portal.signIn();
    const dialog = await open(page);
    await shows(dialog.getByRole("status"), "This site has not been checked yet.");
    await dialog.getByRole("button", { name: "Check now" }).click();
    await shows(
      dialog.getByRole("status"),
      /^Checked .* seen from 127\.0\.0\.1, under the policy Default Policy\.$/,
    );
    await shows(dialog, "No port is open against the policy.");
    await shows(
      port(dialog, PORTS.ssh),
      /open.*opens ssh on 2022 to 127\.0\.0\.0\/8.*RouterOS, SSH-2\.0-ROSSSH/s,
    );
    await shows(port(dialog, PORTS.telnet), /closed.*has telnet disabled/s);
    await page.keyboard.press("Escape");
    await shows((await open(page)).getByRole("status"), "Checked");
  });

  test("what is open against the policy stands first, and in the row of its site from then on", async ({
    portal,
    quay,
  }) => {
    const { control } = quay.router;
    await control.setRow("/ip/service", "telnet", { disabled: "no" });
    const { page } = await portal.signIn();
    expect(await siteRow(page, "Quay").innerText()).not.toContain(AGAINST);
    const dialog = await open(page);
    await dialog.getByRole("button", { name: "Check now" }).click();
    await shows(dialog, `${AGAINST}.`);
    const first = dialog.locator("tbody").getByRole("row").first();
    await shows(first, /2023\s*Telnet/);
    await shows(first, "has telnet disabled");
    await page.keyboard.press("Escape");
    await shows(siteRow(page, "Quay"), AGAINST);
    const other = await portal.signIn();
    await shows(siteRow(other.page, "Quay"), AGAINST);
    await control.setRow("/ip/service", "telnet", { disabled: "yes" });
  });

  test("what answers with markup and escape sequences is shown as text, on a phone as well", async ({
    portal,
    quay,
  }) => {
    await using _ = await greeter(quay, `220 <img src=x onerror="alert(1)">\u001b[31m\r\n`);
    const { page } = await portal.signIn(PHONE);
    const dialog = await open(page);
    await dialog.getByRole("button", { name: "Check now" }).tap();
    await shows(port(dialog, PORTS.ftp), `<img src=x onerror="alert(1)">`);
    expect(await page.locator("dialog img, main img").count()).toBe(0);
    expect(await page.content()).not.toContain("\u001b");
    await expectFits(page);
  });

  test("a check that can't be made is said to be, in words", async ({ portal }) => {
    await portal.server.sql("update site_connections set address = '127.0.0.2'");
    const visitor = await portal.signIn();
    visitor.expectComplaint(/status of 409/);
    const dialog = await open(visitor.page);
    await dialog.getByRole("button", { name: "Check now" }).click();
    await shows(dialog.getByRole("alert"), /./);
  });
});

async function open(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Show the exposure of Quay" }).click();
  const dialog = page.getByRole("dialog", { name: "Exposure of Quay" });
  await dialog.waitFor();
  return dialog;
}

const port = (dialog: Locator, number: number) =>
  dialog.getByRole("row").filter({ has: dialog.page().getByRole("rowheader", { name: String(number) }) });

/** Says this to everybody who connects to the router's FTP port, which the router itself leaves closed. */
async function greeter(quay: ManagedRouter, greeting: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => void socket.on("error", () => undefined).end(greeting));
  server.listen({ host: quay.router.address, port: PORTS.ftp });
  await once(server, "listening");
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** The web page as people use it: a real browser, the real server behind it, and two emulated routers. */
import { once } from "node:events";
import { connect } from "node:net";
import type { TransientAccess } from "@portreeve/api-schema";
import { describe, expect } from "vitest";
import {
  chromiumMissing,
  expectFits,
  expectToCountDown,
  focused,
  grantRow,
  openAccess,
  shows,
  siteRow,
  tabTo,
  values,
} from "./harness/browser.ts";
import {
  createPolicy,
  expectStatus,
  type ManagedRouter,
  PORTS,
  TELLS_NOTHING,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { HOSTILE, HOSTILE_SHOWN, PHONE, portalScenario } from "./harness/portal.ts";
import { visit } from "./harness/tcp.ts";

const NOBODY = "Nobody has access at the moment.";
const NOTHING_TO_DO = "Nothing to do: the router is as the policy wants it.";
const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

const test = portalScenario
  /** Access is opened to this one only. */
  .extend("harbour", { scope: "file", auto: true }, async ({ server, portal }) => {
    await createPolicy(server.api, { name: "WinBox only", ssh: { enabled: false } });
    return portal.startSite("Harbour", { identity: HOSTILE });
  })
  /** Nothing but what a test does to it wakes the reconciler for this one. */
  .extend("mill", { scope: "file", auto: true }, ({ portal, harbour: _first }) =>
    portal.startSite("Mill", { ...TELLS_NOTHING, identity: "mill-gw" }),
  );

describe.skipIf(chromiumMissing !== undefined)(`the web page${note}`, () => {
  test.afterEach(async ({ server, portal, harbour }) => {
    await portal.leave();
    for (const { id } of await openGrants(server, harbour)) {
      expectStatus(await server.api.delete(`${accessPath(harbour)}/${id}`), 204);
    }
  });

  test("a token that is not good is refused in words, and the page stays shut", async ({ portal }) => {
    const visitor = await portal.open();
    const { page } = visitor;
    visitor.expectComplaint(/status of 401/);
    await page.keyboard.type("not-a-token-of-this-server");
    await page.keyboard.press("Enter");
    await shows(page.getByRole("alert"), "This token is not accepted.");
    expect(await page.getByRole("heading", { name: "Sites" }).isVisible()).toBe(false);
    expect(await focused(page)).toBe("API token");
  });

  test("a good token opens it: every site with its router, status, configuration and policy", async ({
    portal,
    mill,
  }) => {
    const { page } = await portal.signIn();
    for (const text of ["Mill", mill.router.address, "mill-gw", "online", "in sync", "Default Policy"]) {
      await shows(siteRow(page, "Mill"), text);
    }
    await shows(siteRow(page, "Harbour"), "RouterOS 7.16");
    await shows(page.getByRole("status"), "As of ");
    await shows(page.getByRole("main"), NOBODY);
    expect(await page.getByLabel("API token").isVisible()).toBe(false);
  });

  test("a router whose identity is markup is shown with that text, and nothing of it runs", async ({
    portal,
  }) => {
    const { page } = await portal.signIn();
    await shows(siteRow(page, "Harbour"), HOSTILE_SHOWN);
    expect(await page.locator("main img").count()).toBe(0);
  });

  test("the browser is told to run and load nothing of elsewhere, and the watch of these tests sees a try", async ({
    portal,
  }) => {
    await using visitor = await portal.openUnchecked();
    const seen = (text: string) => waitFor(() => visitor.surprises.some((line) => line.includes(text)));
    await visitor.page.evaluate(
      "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2:9/'}))",
    );
    await seen("violates img-src: http://127.0.0.2:9/");
    await visitor.page.evaluate(
      "document.body.append(Object.assign(document.createElement('script'), {text: 'alert(1)'}))",
    );
    await seen("violates script-src-elem: inline");
    expect(visitor.complaints.join()).not.toContain("alert:");
    expect(visitor.requests).toContain("http://127.0.0.2:9/");
  });

  test("every policy is shown with its services, their ports and whom they admit", async ({ portal }) => {
    const { page } = await portal.signIn();
    const policy = (name: string) => page.getByRole("article").filter({ hasText: name });
    const ssh = (name: string) => policy(name).getByRole("row").filter({ hasText: "SSH" });
    await shows(policy("Default Policy"), "2 sites");
    await shows(ssh("Default Policy"), String(PORTS.ssh));
    await shows(ssh("Default Policy"), "127.0.0.0/8");
    expect(await policy("Default Policy").locator("tbody").getByRole("row").count()).toBe(8);
    await shows(policy("WinBox only"), "0 sites");
    await shows(ssh("WinBox only"), "off");
  });

  test("opened SSH access leads to the router with the password shown, and ends with its sessions when revoked", async ({
    portal,
    server,
    harbour,
  }) => {
    const { page } = await portal.signIn();
    const dialog = await openAccess(page, "Harbour");
    await shows(dialog, "ready");
    await shows(dialog, "127.0.0.1");
    const [address, username, password] = await values(dialog, "Address", "User name", "Password");
    const gateway = { host: server.gatewayAddress, port: Number(address.split(":").at(-1)) };
    expect(await values(dialog, "Command")).toEqual([`ssh -p ${gateway.port} ${username}@localhost`]);
    const mayLogIn = () =>
      harbour.router.control.wouldAuthenticate(username, password, server.managementAddress);
    expect(mayLogIn()).toBe(true);
    await dialog.getByRole("button", { name: "Done" }).click();
    const row = grantRow(page, "Harbour");
    await shows(row, username);
    await shows(row, "not used yet");

    const session = connect({ ...gateway, localAddress: "127.0.0.1" });
    session.on("error", () => undefined);
    const cut = new Promise((resolve) => session.once("close", resolve));
    const [banner] = await once(session, "data");
    expect(String(banner)).toMatch(/^SSH-2\.0-/);
    await shows(row, "first used");
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog", { name: "Revoke" }).getByRole("button", { name: "Revoke" }).click();
    await cut;
    await shows(page.getByRole("status"), "Access to Harbour is revoked.");
    await shows(page.getByRole("main"), NOBODY);
    expect(await visit(gateway, "127.0.0.1")).toMatchObject({ error: "ECONNREFUSED" });
    await waitFor(() => !mayLogIn(), { what: "the router to forget the user" });
  });

  test("a password is shown once: with its dialog closed it is nowhere in the page, nor after a reload", async ({
    portal,
  }) => {
    const visitor = await portal.signIn({ keep: true });
    const { page } = visitor;
    const dialog = await openAccess(page, "Harbour");
    const [password] = await values(dialog, "Password");
    expect(await visitor.everything()).toContain(password);
    await dialog.getByRole("button", { name: "Done" }).click();
    await waitFor(async () => !(await visitor.everything()).includes(password));
    await page.reload();
    await grantRow(page, "Harbour").waitFor();
    expect(await visitor.everything()).not.toContain(password);
  });

  test("the password can be copied", async ({ portal }) => {
    const { page } = await portal.signIn({ permissions: ["clipboard-read", "clipboard-write"] });
    const dialog = await openAccess(page, "Harbour");
    await dialog.getByRole("button", { name: "Copy: Password" }).click();
    await shows(dialog.getByRole("button", { name: "Copy: Password" }), "Copied");
    expect([await page.evaluate("navigator.clipboard.readText()")]).toEqual(await values(dialog, "Password"));
  });

  test("the time left counts down, in the dialog and in the list", async ({ portal }) => {
    const { page } = await portal.signIn();
    const dialog = await openAccess(page, "Harbour");
    await expectToCountDown(dialog.locator(".facts"));
    await dialog.getByRole("button", { name: "Done" }).click();
    await expectToCountDown(grantRow(page, "Harbour"));
  });

  test("what is wrong with a field is said beside it, and the corrected form is accepted", async ({
    portal,
    server,
    harbour,
  }) => {
    const visitor = await portal.signIn();
    const { page } = visitor;
    visitor.expectComplaint(/status of 422/);
    await page.getByRole("button", { name: "Open SSH access to Harbour" }).click();
    const form = page.getByRole("dialog", { name: "Open access" });
    await form.getByLabel("Admits").fill("127.0.0.300");
    await page.keyboard.press("Enter");
    await shows(form.locator("#source-error"), "must be an IPv4 or IPv6 address");
    expect(await focused(page)).toBe("Admits");
    await form.getByLabel("Admits").fill("127.0.0.3");
    await page.keyboard.press("Enter");
    await shows(page.getByRole("dialog", { name: "SSH access to Harbour" }), "127.0.0.3");
    expect(await openGrants(server, harbour)).toEqual([
      expect.objectContaining({ allow_only_ip: "127.0.0.3" }),
    ]);
  });

  test("access is opened and revoked with the keyboard alone, and the focus is never lost", async ({
    portal,
    server,
    harbour,
  }) => {
    const { page } = await portal.open();
    const press = (key: string) => page.keyboard.press(key);
    await page.keyboard.type(server.api.token);
    await press("Enter");
    await siteRow(page, "Harbour").waitFor();
    await tabTo(page, "Open SSH access to Harbour");
    await press("Enter");
    expect(await focused(page)).toBe("Minutes");
    await press("Escape");
    expect(await focused(page)).toBe("Open SSH access to Harbour");
    await press("Enter");
    await page.keyboard.type("15");
    await press("Shift+Tab");
    await press("ArrowDown");
    await tabTo(page, "Reason");
    await page.keyboard.type("<b>lamp</b> out");
    await press("Enter");
    const dialog = page.getByRole("dialog", { name: "SSH access to Harbour" });
    await dialog.waitFor();
    await press("Escape");
    await press("Escape");
    await tabTo(page, "Done");
    await press("Enter");
    expect(await focused(page)).toBe("Open SSH access to Harbour");
    expect(await openGrants(server, harbour)).toEqual([
      expect.objectContaining({ full_access: true, reason: "<b>lamp</b> out" }),
    ]);
    await shows(grantRow(page, "Harbour"), "<b>lamp</b> out");
    await tabTo(page, /^Revoke SSH access to Harbour/);
    await press("Enter");
    await tabTo(page, "Revoke");
    await press("Enter");
    await grantRow(page, "Harbour").waitFor({ state: "detached" });
    expect(await focused(page)).toMatch(/^Open access/);
    expect(await openGrants(server, harbour)).toEqual([]);
  });

  test("the plan is empty in sync, shows the steps after drift, and reconciling now does them", async ({
    portal,
    mill,
  }) => {
    const { page } = await portal.signIn();
    const plan = page.getByRole("dialog", { name: "Plan for Mill" });
    const showPlan = () => page.getByRole("button", { name: "Show the plan for Mill" }).click();
    const close = () => plan.getByRole("button", { name: "Close" }).click();
    const telnet = () => mill.router.control.rows("/ip/service").find(({ name }) => name === "telnet");
    const before = telnet();
    await showPlan();
    await shows(plan, NOTHING_TO_DO);
    expect(await plan.getByRole("listitem").count()).toBe(0);
    await close();

    await mill.router.control.setRow("/ip/service", "telnet", { disabled: "no" });
    await showPlan();
    await shows(plan, "1 step, in this order. Nothing has been changed yet.");
    await shows(plan.getByRole("listitem"), /^\/ip service set .*telnet.* disabled=yes/);
    expect(telnet()).not.toEqual(before);
    await close();

    await page.getByRole("button", { name: "Reconcile now: Mill" }).click();
    await shows(page.getByRole("status"), "Mill is being reconciled.");
    await waitFor(() => JSON.stringify(telnet()) === JSON.stringify(before), { what: "the repair" });
    await showPlan();
    await shows(plan, NOTHING_TO_DO);
  });

  test("a router that is away is shown offline with the reason, found by its status, and back when it is back", async ({
    portal,
    mill,
  }) => {
    const visitor = await portal.signIn();
    const { page } = visitor;
    const reconcile = () => page.getByRole("button", { name: "Reconcile now: Mill" }).click();
    await mill.router.control.powerOff();
    await reconcile();
    await shows(siteRow(page, "Mill"), "offline");
    await page.getByLabel("Status").selectOption("offline");
    await siteRow(page, "Harbour").waitFor({ state: "detached" });

    visitor.expectComplaint(/status of 50[23]/);
    await page.getByRole("button", { name: "Show the plan for Mill" }).click();
    const plan = page.getByRole("dialog", { name: "Plan for Mill" });
    await shows(plan.getByRole("alert"), mill.router.address);
    await page.keyboard.press("Escape");

    await mill.router.control.powerOn();
    await page.getByLabel("Status").selectOption("");
    await siteRow(page, "Harbour").waitFor();
    await reconcile();
    await shows(siteRow(page, "Mill"), "online");
    await shows(siteRow(page, "Mill"), "in sync");
  });

  test("a reload asks for the token again, unless it was to be kept in this tab", async ({
    portal,
    server,
  }) => {
    const { page } = await portal.signIn();
    const stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])";
    expect(await page.evaluate(stored)).not.toContain(server.api.token);
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).waitFor();

    const { page: kept } = await portal.signIn({ keep: true });
    await kept.reload();
    await siteRow(kept, "Mill").waitFor();
    const otherTab = await kept.context().newPage();
    await otherTab.goto(server.api.url);
    await otherTab.getByRole("button", { name: "Sign in" }).waitFor();
    await kept.getByRole("button", { name: "Sign out" }).click();
    expect(await kept.evaluate(stored)).not.toContain(server.api.token);
    await kept.reload();
    await kept.getByRole("button", { name: "Sign in" }).waitFor();
    expect(await kept.content()).not.toContain("Mill");
  });

  test("a token revoked in mid-session brings the sign-in back, and what it had shown is gone", async ({
    portal,
    server,
  }) => {
    const input = {
      name: "night shift",
      scopes: ["sites:read", "policies:read", "access:read", "access:open", "credentials:reveal"],
    };
    const { id, token } = expectStatus(await server.api.post("/v1/tokens", input), 201);
    const visitor = await portal.signIn({ keep: true, token });
    const { page } = visitor;
    const dialog = await openAccess(page, "Harbour");
    const [password] = await values(dialog, "Password");
    visitor.expectComplaint(/status of 401/);
    expectStatus(await server.api.delete(`/v1/tokens/${id}`), 204);
    await shows(page.getByRole("alert"), "The token is no longer accepted.");
    expect(await focused(page)).toBe("API token");
    const left = await visitor.everything();
    for (const gone of [password, "Harbour", token]) expect(left).not.toContain(gone);
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
  });

  test("in no window, narrow or wide, is anything wider than the window", async ({
    portal,
    server,
    harbour,
  }) => {
    const input = {
      expire_after_minutes: 30,
      type: "winbox",
      full_access: false,
      allow_rfc1918: true,
      allow_only_cidr: "2001:db8:1234:5678:9abc:def0:1234:5678/128",
      reason: "w".repeat(100),
    };
    expectStatus(await server.api.post(accessPath(harbour), input), 201);
    const { page } = await portal.signIn();
    await grantRow(page, "Harbour").waitFor();
    for (const width of [320, 600, 780, 1000, 1130, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      await expectFits(page);
    }
  });

  test("on a phone the dialogs are no wider than the screen", async ({ portal }) => {
    const { page } = await portal.signIn(PHONE);
    const dialog = await openAccess(page, "Harbour");
    await expectFits(page);
    await dialog.getByRole("button", { name: "Done" }).tap();
    await grantRow(page, "Harbour").waitFor();
    await expectFits(page);
    await page.getByRole("button", { name: "Open WinBox access to Mill" }).tap();
    await expectFits(page);
    await page.getByRole("button", { name: "Cancel" }).tap();
    await page.getByRole("button", { name: /^Revoke/ }).tap();
    await expectFits(page);
  });
});

const accessPath = (harbour: ManagedRouter) => `/v1/control-plane/${harbour.site.id}/transient-access`;

async function openGrants(server: TestServer, harbour: ManagedRouter): Promise<TransientAccess[]> {
  return expectStatus(await server.api.get(accessPath(harbour)), 200);
}

/** The hardening report of live routers, and fixes on their way to them. */
import type { Finding, HardeningReport } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { RouterClient } from "@portreeve/routeros";
import { describe, expect } from "vitest";
import {
  ADMIN,
  expectInSync,
  expectProblem,
  expectStatus,
  readSite,
  startManagedRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario as test } from "./harness/scenario.ts";

const report = async (server: TestServer, siteId: string): Promise<HardeningReport> =>
  expectStatus(await server.api.get(`/v1/sites/${siteId}/hardening`), 200);

async function finding(server: TestServer, siteId: string, id: string): Promise<Finding> {
  const found = (await report(server, siteId)).findings.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`no finding ${id}`);
  return found;
}

const fix = (server: TestServer, siteId: string, ...fixes: string[]) =>
  server.api.post(`/v1/sites/${siteId}/hardening`, { fixes });
const addPerson = (router: Emulator, name = "anna") =>
  router.control.addRow("/user", { name, group: "full", password: "a-Person-of-12", address: "10.0.0.0/8" });
const enabledOf = (router: Emulator, menu: string) => router.control.rows(menu)[0]?.enabled;
const isAdminDisabled = (router: Emulator) =>
  router.control.rows("/user").find(({ name }) => name === "admin")?.disabled === "true";

/** Write a fix down without waking anybody. */
const choose = (server: TestServer, siteId: string, fixId: string, age = "0 minutes") =>
  server.sql(
    `insert into site_hardening_fixes (customer_id, site_id, fix, created_at)
     select customer_id, id, $2, now() - $3::interval from sites where id = $1`,
    [siteId, fixId, age],
  );

/** A whole run, begun after this was called. */
async function reconcileOnce(server: TestServer, siteId: string): Promise<void> {
  const { sync: before } = await readSite(server.api, siteId);
  expectStatus(await server.api.post(`/v1/sites/${siteId}/reconcile`), 202);
  await waitFor(async () => (await readSite(server.api, siteId)).sync.checked_at !== before.checked_at);
}

const EVERYWHERE = [
  "password-length",
  "ssh-crypto",
  "bandwidth-server",
  "mac-telnet",
  "mac-winbox",
  "mac-ping",
];

describe.each(["6.49.17", "7.9", "7.18", "7.24"])("on RouterOS %s", (version) => {
  test("what is open from the factory is found, fixed through the plan, and not found again", async ({
    server,
  }) => {
    const { router, site } = await startManagedRouter(server, { version });
    await using _ = router;
    const before = await report(server, site.id);
    const open = before.findings.filter(({ status }) => status === "open").map(({ id }) => id);
    expect(open).toEqual(
      expect.arrayContaining([...EVERYWHERE, "default-admin-user", "full-users-unrestricted"]),
    );
    expect(open).toEqual(
      expect.not.arrayContaining([
        "service-telnet",
        "service-address",
        "management-exposed",
        "ipv6-unfiltered",
      ]),
    );

    const kept = expectStatus(await fix(server, site.id, ...EVERYWHERE), 202);
    expect(kept.fixes).toEqual([...EVERYWHERE].sort());
    await expectInSync(server.api, site.id);

    const after = await report(server, site.id);
    const statusOf = Object.fromEntries(after.findings.map(({ id, status }) => [id, status]));
    expect(EVERYWHERE.map((id) => statusOf[id])).toEqual(EVERYWHERE.map(() => "ok"));
    expect(after.score).toBeGreaterThan(before.score);
    expect(router.control.rows("/tool/mac-server")[0]?.["allowed-interface-list"]).toBe("none");
    expect(router.control.rows("/user/settings")[0]?.["minimum-password-length"]).toBe("12");
  });
});

test("what the report would do is what the plan then shows and the router then has", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  await router.control.setRow("/ip/socks", undefined, { enabled: "yes" });
  const shown = await finding(server, site.id, "socks");
  expect(shown.fix?.steps.map(({ text }) => text)).toEqual(["/ip socks set enabled=no"]);
  // Intent that nobody was woken for: it waits, and the preview shows it.
  await choose(server, site.id, "socks");
  const { steps } = expectStatus(await server.api.get(`/v1/sites/${site.id}/plan`), 200);
  expect(steps).toEqual(shown.fix?.steps);
  await reconcileOnce(server, site.id);
  expect(enabledOf(router, "/ip/socks")).toBe("false");
});

test("a fix that is kept is made again when somebody undoes it, and left once it is stopped", async ({
  server,
}) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  expectStatus(await fix(server, site.id, "bandwidth-server"), 202);
  await expectInSync(server.api, site.id);
  await router.control.setRow("/tool/bandwidth-server", undefined, { enabled: "yes" });
  expect((await finding(server, site.id, "bandwidth-server")).enforced).toBe(true);
  expectStatus(await server.api.post(`/v1/sites/${site.id}/reconcile`), 202);
  await waitFor(() => enabledOf(router, "/tool/bandwidth-server") === "false");

  const stopped = expectStatus(
    await server.api.delete(`/v1/sites/${site.id}/hardening/bandwidth-server`),
    200,
  );
  expect(stopped).toEqual({ fixes: [], note: expect.stringContaining("stays as it is") });
  await expectInSync(server.api, site.id);
  expect(enabledOf(router, "/tool/bandwidth-server")).toBe("false");
  await router.control.setRow("/tool/bandwidth-server", undefined, { enabled: "yes" });
  await reconcileOnce(server, site.id);
  expect(enabledOf(router, "/tool/bandwidth-server")).toBe("true");
  const again = await server.api.delete(`/v1/sites/${site.id}/hardening/bandwidth-server`);
  expectProblem(again, 404, "hardening-fix-not-found");
});

test("admin is disabled once, and stays enabled when somebody enables it again", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  const alone = await fix(server, site.id, "default-admin-user");
  expect(expectProblem(alone, 422, "validation-failed").errors).toEqual({
    "fixes.0": [expect.stringMatching(/only user with full rights/)],
  });
  await addPerson(router);
  expectStatus(await fix(server, site.id, "default-admin-user"), 202);
  await waitFor(() => isAdminDisabled(router));
  await expectInSync(server.api, site.id);
  await router.control.setRow("/user", "admin", { disabled: "no" });
  await reconcileOnce(server, site.id);
  expect(isAdminDisabled(router)).toBe(false);
  expect(await finding(server, site.id, "default-admin-user")).toMatchObject({
    status: "open",
    enforced: false,
  });
  const events = expectStatus(await server.api.get(`/v1/audit?site_id=${site.id}&limit=50`), 200);
  const actions = events.data.map(({ action }: { action: string }) => action);
  expect(actions.filter((action: string) => action.startsWith("hardening."))).toEqual([
    "hardening.fix_made",
    "hardening.fixes_chosen",
  ]);
});

test("admin is not disabled while somebody works as admin", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  await addPerson(router);
  {
    await using _session = await RouterClient.connect({
      host: router.address,
      port: router.port("api"),
      localAddress: server.managementAddress,
      ...ADMIN,
    });
    const refused = expectProblem(await fix(server, site.id, "default-admin-user"), 422, "validation-failed");
    expect(refused.detail).toMatch(/logged in as admin right now \(api from/);
  }
  await waitFor(() => router.control.sessions().every(({ username }) => username !== "admin"));
  expectStatus(await fix(server, site.id, "default-admin-user"), 202);
  await waitFor(() => isAdminDisabled(router));
});

test("a fix of a user who is gone by then makes no user, and lapses", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  await addPerson(router);
  await choose(server, site.id, "default-admin-user", "11 minutes");
  await router.control.removeRow("/user", "admin");
  await reconcileOnce(server, site.id);
  expect(router.control.rows("/user").map(({ name }) => name)).not.toContain("admin");
  expect(await server.sql("select fix from site_hardening_fixes where site_id = $1", [site.id])).toEqual([]);
});

test("what can't be fixed is refused by name, and then nothing is taken", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  const refused = await fix(server, site.id, "socks", "routeros-version", "no-such-thing");
  expect(expectProblem(refused, 422, "validation-failed").errors).toEqual({
    "fixes.1": [expect.stringMatching(/does not upgrade routers/)],
    "fixes.2": ["no finding has this id"],
  });
  expect((await report(server, site.id)).findings.filter(({ enforced }) => enforced)).toEqual([]);
});

test("a repeated request is answered from the first one, whatever the router says by then", async ({
  server,
}) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  await addPerson(router);
  const headers = { "idempotency-key": "fix-admin-1" };
  const body = { fixes: ["default-admin-user"] };
  const path = `/v1/sites/${site.id}/hardening`;
  const first = expectStatus(await server.api.post(path, body, { headers }), 202);
  await waitFor(() => isAdminDisabled(router));
  await router.control.powerOff();
  expect(expectStatus(await server.api.post(path, body, { headers }), 202)).toEqual(first);
  expectProblem(await server.api.post(path, body), 502, "router-unavailable");
});

test("off-boarding leaves the router as hard as it is", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  await router.control.setRow("/ip/upnp", undefined, { enabled: "yes" });
  expectStatus(await fix(server, site.id, "upnp"), 202);
  await waitFor(() => enabledOf(router, "/ip/upnp") === "false");
  await expectInSync(server.api, site.id);
  expectStatus(await server.api.delete(`/v1/sites/${site.id}`), 202);
  await waitFor(async () => (await server.api.get(`/v1/sites/${site.id}`)).status === 404);
  expect(enabledOf(router, "/ip/upnp")).toBe("false");
});

test("whether DNS is open is read off the live firewall", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  const cases = [
    { rule: undefined, status: "open" },
    { rule: { chain: "input", action: "drop", "in-interface": "ether1" }, status: "unknown" },
    { rule: { chain: "input", action: "drop", "in-interface-list": "!LAN" }, status: "ok" },
  ];
  await router.control.setRow("/ip/dns", undefined, { "allow-remote-requests": "yes" });
  for (const { rule, status } of cases) {
    const id = rule && (await router.control.addRow("/ip/firewall/filter", rule));
    expect((await finding(server, site.id, "dns-open")).status).toBe(status);
    if (id) await router.control.removeRow("/ip/firewall/filter", id);
  }
});

test("hostile rows of a live router come out escaped", async ({ server }) => {
  const { router, site } = await startManagedRouter(server);
  await using _ = router;
  await router.control.addRow("/system/script", {
    name: "\u001b[2Jx\r\n<img onerror=1>",
    "dont-require-permissions": "yes",
  });
  const scripts = await finding(server, site.id, "scripts-without-permission-check");
  expect(scripts.evidence[0]?.values.name).toBe("\\1B[2Jx\\0D\\0A<img onerror=1>");
  expect(scripts.detail).not.toMatch(/\p{Cc}/u);
});

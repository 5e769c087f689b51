/** What Portreeve leaves alone: everything on a router that is somebody else's. */
import type { Emulator } from "@portreeve/emulator";
import { describe, expect } from "vitest";
import { createPolicy, expectInSync, expectStatus, startManagedRouter, waitFor } from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

describe.each(["6.49", "7.9", "7.18", "7.24"])("other people's rows on RouterOS %s", (version) => {
  test("users, groups and firewall rules of others are the same after adoption, changes, access and off-boarding", async ({
    server,
  }) => {
    const { router, site } = await startManagedRouter(server, {
      version,
      users: [{ name: "billing", password: "b", group: "read", address: "192.0.2.1/32" }],
    });
    await using _router = router;
    const { control } = router;
    await control.addRow("/user/group", { name: "portreeve", policy: "read,api", comment: "ours? no" });
    await control.addRow("/user", {
      name: "portreeve-bot",
      password: "x",
      group: "portreeve",
      comment: "portreeve: my own",
    });
    await control.addRow("/user", {
      name: "other",
      password: "x",
      group: "full",
      comment: "Portreeve transient access",
    });
    await control.addRow("/ip/firewall/filter", {
      chain: "input",
      action: "accept",
      comment: "portreeve: my own",
    });
    await control.addRow("/ip/firewall/filter", {
      chain: "input",
      action: "drop",
      "src-address": "203.0.113.9",
    });
    await control.addRow("/ip/firewall/address-list", { list: "portreeve", address: "203.0.113.0/24" });
    await control.addRow("/ipv6/firewall/filter", {
      chain: "input",
      action: "drop",
      comment: "portreeve: v6",
    });
    await control.addRow("/ip/firewall/address-list", {
      list: "portreeve-ssh",
      address: "203.0.113.7",
      comment: "portreeve: mine",
    });
    const theirs = othersRows(router);
    const policy = await createPolicy(server.api, { winbox: { port: 8292 } });
    const path = `/v1/control-plane/policies/${policy.id}/sites`;
    expectStatus(await server.api.put(path, { sites: [site.id] }), 200);
    await expectInSync(server.api, site.id);
    const access = `/v1/control-plane/${site.id}/transient-access`;
    const grant = { expire_after_minutes: 5, type: "ssh", full_access: true, allow_rfc1918: false };
    const { id } = expectStatus(await server.api.post(access, grant), 201);
    await waitFor(async () => (await server.api.get(`${access}/${id}`)).body.config_committed_to_site);
    expect(othersRows(router)).toEqual(theirs);
    expectStatus(await server.api.delete(`${access}/${id}`), 204);
    await expectInSync(server.api, site.id);
    expectStatus(await server.api.delete(`/v1/sites/${site.id}`), 202);
    await waitFor(async () => (await server.api.get(`/v1/sites/${site.id}`)).status === 404, {
      what: "the off-boarded site to end",
    });
    expect(othersRows(router)).toEqual(theirs);
    const names = [...control.rows("/user"), ...control.rows("/user/group")].map(({ name }) => name);
    expect(names.filter((name) => name?.startsWith("portreeve-"))).toEqual(["portreeve-bot"]);
  });
});

const OURS = new Set(["portreeve-api", "portreeve-full", "portreeve-read"]);
const OUR_COMMENTS = /^portreeve: (transient access |management - )/;

/** Everything in these menus that isn't ours, without what a login or a packet changes. */
function othersRows(router: Emulator) {
  const menus = [
    "/user",
    "/user/group",
    "/ip/firewall/filter",
    "/ip/firewall/address-list",
    "/ipv6/firewall/filter",
    "/ipv6/firewall/address-list",
    "/system/scheduler",
  ];
  return menus.map((menu) =>
    router.control
      .rows(menu)
      .filter(({ name = "", comment = "" }) => !OURS.has(name) && !OUR_COMMENTS.test(comment))
      .map(({ "last-logged-in": _login, bytes: _bytes, packets: _packets, ...row }) => row),
  );
}

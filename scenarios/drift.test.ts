/** Changes made by hand on a router: seen within a period, then undone or only shown, as the policy says. */
import { describe, expect } from "vitest";
import {
  createPolicy,
  expectChecked,
  expectInSync,
  expectStatus,
  expectSync,
  type ManagedRouter,
  policyOf,
  startManagedRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

interface Attached extends ManagedRouter {
  readonly policyId: string;
}

async function startUnder(
  server: TestServer,
  version: string,
  drift: "repair" | "report",
): Promise<Attached> {
  const managed = await startManagedRouter(server, { version });
  const policy = await createPolicy(server.api, { drift });
  await attach(server, policy.id, managed.site.id);
  await expectInSync(server.api, managed.site.id);
  return { ...managed, policyId: policy.id };
}

async function attach(server: TestServer, policyId: string, siteId: string): Promise<void> {
  const path = `/v1/control-plane/policies/${policyId}/sites`;
  expectStatus(await server.api.put(path, { sites: [siteId] }), 200);
}

const service = ({ router }: ManagedRouter, name: string) =>
  router.control.rows("/ip/service").find((row) => row.name === name && row.dynamic !== "true");
const networks = (managed: ManagedRouter, name: string) => {
  const row = service(managed, name);
  return row?.address ?? row?.["available-from"];
};
const jump = ({ router }: ManagedRouter) =>
  router.control
    .rows("/ip/firewall/filter")
    .find(({ comment }) => comment === "portreeve: management - jump");

/** What an administrator may do: let a network of their own in, and switch our filter off. */
async function changeByHand(managed: ManagedRouter): Promise<void> {
  const { control } = managed.router;
  await control.setRow("/ip/service", service(managed, "ssh")?.[".id"], {
    address: "127.0.0.0/8,203.0.113.0/24",
  });
  await control.setRow("/ip/firewall/filter", jump(managed)?.[".id"], { disabled: "yes" });
}

async function eventsOf(server: TestServer, { site }: ManagedRouter, action: string) {
  const { data } = expectStatus(await server.api.get(`/v1/audit?site_id=${site.id}&action=${action}`), 200);
  return data;
}

describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
  test("repair: it is undone within a period, and what was taken away from others is written down", async ({
    server,
  }) => {
    const managed = await startUnder(server, version, "repair");
    await using _router = managed.router;
    const before = networks(managed, "ssh");
    await changeByHand(managed);
    await waitFor(() => networks(managed, "ssh") === before && jump(managed)?.disabled === "false", {
      what: "the repair",
    });
    await expectInSync(server.api, managed.site.id);
    const [event] = await waitFor(async () => {
      const events = await eventsOf(server, managed, "site.drift_repaired");
      return events.length > 0 && events;
    });
    expect(event.detail.steps.join("\n")).toMatch(
      /# was (address|available-from)=127\.0\.0\.0\/8,203\.0\.113\.0\/24/,
    );
  });

  test("report: it is shown and stays, once in the audit log, until the policy says repair", async ({
    server,
  }) => {
    const managed = await startUnder(server, version, "report");
    await using _router = managed.router;
    await changeByHand(managed);
    const site = await expectSync(server.api, managed.site.id, "drifted");
    expect(site.sync.reason).toContain("203.0.113.0/24");
    expect(site.status).toBe("online");
    const plan = expectStatus(await server.api.get(`/v1/sites/${site.id}/plan`), 200);
    const step = plan.steps.find(({ target }: { target: string | null }) => target === "ssh");
    expect(Object.values(step.before)).toEqual(["127.0.0.0/8,203.0.113.0/24"]);

    await expectChecked(server.api, managed.site.id);
    expect(networks(managed, "ssh")).toContain("203.0.113.0/24");
    expect(jump(managed)?.disabled).toBe("true");
    expect(await eventsOf(server, managed, "site.drifted")).toHaveLength(1);

    const body = policyOf({ drift: "repair" });
    expectStatus(await server.api.put(`/v1/control-plane/policies/${managed.policyId}`, body), 200);
    await expectInSync(server.api, site.id);
    expect(networks(managed, "ssh")).not.toContain("203.0.113.0/24");
  });

  test("report: the service Portreeve uses is repaired all the same, and access still works", async ({
    server,
  }) => {
    const managed = await startUnder(server, version, "report");
    await using _router = managed.router;
    const { control } = managed.router;
    await control.setRow("/ip/service", service(managed, "api")?.[".id"], { address: "192.0.2.0/24" });
    await waitFor(() => networks(managed, "api")?.includes(server.managementAddress), {
      what: "the service to admit us again",
    });
    await changeByHand(managed);
    await expectSync(server.api, managed.site.id, "drifted");
    const access = `/v1/control-plane/${managed.site.id}/transient-access`;
    const grant = { expire_after_minutes: 5, type: "ssh", full_access: false, allow_rfc1918: false };
    const { id } = expectStatus(await server.api.post(access, grant), 201);
    await waitFor(async () => (await server.api.get(`${access}/${id}`)).body.config_committed_to_site, {
      what: "the user on the router",
    });
    expect(networks(managed, "ssh")).toContain("203.0.113.0/24");
  });

  test("report: a change of the policy is delivered, it is no drift", async ({ server }) => {
    const managed = await startUnder(server, version, "report");
    await using _router = managed.router;
    const body = policyOf({ drift: "report", winbox: { port: 8299 } });
    expectStatus(await server.api.put(`/v1/control-plane/policies/${managed.policyId}`, body), 200);
    await waitFor(() => service(managed, "winbox")?.port === "8299", { what: "the new port" });
    await expectInSync(server.api, managed.site.id);
  });
});

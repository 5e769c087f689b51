/**
 * The control-plane API as its document shows it: every example request is sent with our host and ids, and every
 * field of the answers is compared. Fields beyond the document are listed, so that none creeps in unseen.
 */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { TransientAccess } from "@portreeve/api-schema";
import { expect } from "vitest";
import {
  changedPolicy,
  DELETION_TIME,
  DOCUMENT_TIME,
  defaultPolicy,
  fromDocumentTime,
  NEW_ACCESS,
  newPolicy,
  POLICY_WITHOUT_NETWORKS,
  UUID,
  withManagementFirst,
} from "./harness/document.ts";
import {
  type Answer,
  expectInSync,
  expectProblem,
  expectStatus,
  PORTS,
  startManagedRouter,
  startTestServer,
  type TestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const POLICIES = "/v1/control-plane/policies";
const ENTRY_POINT = "access.portreeve.example";
const POLICY_BEYOND = {
  trusted_networks: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  custom_input_rules: true,
  brute_force_protection: false,
  drift: "repair",
  management_transport: "api",
  rollout: null,
};

const test = scenario
  .override("env", { PORTREEVE_ENTRY_POINT: ENTRY_POINT })
  .override("bindablePorts", false)
  .extend("management", { scope: "file" }, ({ server }) => `${server.managementAddress}/32`)
  .extend("sites", { scope: "file", auto: true }, async ({ server, closing }) => {
    const first = await send(server, "GET", POLICIES);
    expect(first.body).toMatchObject([{ default: true }]);
    const ids: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { router, site } = await startManagedRouter(server);
      closing.use(router);
      ids.push(site.id);
    }
    return ids;
  });

/** As the document's examples send it: `Content-Type: application/json` on everything but GET, body or not. */
function send(server: TestServer, method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = method === "GET" ? {} : { "content-type": "application/json" };
  return server.api.call(method, path, { body, headers });
}

function policyAnswer(body: ReturnType<typeof newPolicy>, change: Record<string, unknown> = {}) {
  return {
    id: expect.stringMatching(UUID),
    slug: expect.stringMatching(/^[a-z0-9-]+-[A-Za-z0-9]{10}$/),
    default: false,
    created_at: expect.stringMatching(DOCUMENT_TIME),
    updated_at: expect.stringMatching(DOCUMENT_TIME),
    ...POLICY_BEYOND,
    ...body,
    ...change,
  };
}

test("creating a policy answers 201 with the networks as they were sent", async ({ server, management }) => {
  const answer = await send(server, "POST", POLICIES, newPolicy(management));
  expect(expectStatus(answer, 201)).toEqual(
    policyAnswer(newPolicy(management), { slug: expect.stringMatching(/^my-new-policy-[A-Za-z0-9]{10}$/) }),
  );
  expect(answer.body.created_at).toBe(answer.body.updated_at);
  expect(Math.abs(fromDocumentTime(answer.body.created_at) - Date.now())).toBeLessThan(60_000);
});

test("listing policies answers a bare array, oldest first, with the default one every customer starts with", async () => {
  await using fresh = await startTestServer();
  const network = `${fresh.managementAddress}/32`;
  expectStatus(await fresh.api.post(POLICIES, POLICY_WITHOUT_NETWORKS), 201);
  const [first, second, ...rest] = expectStatus(await fresh.api.get(POLICIES), 200);
  const inOrder = { ...first, winbox: sorted(first.winbox), ssh: sorted(first.ssh) };
  expect(inOrder).toEqual(
    policyAnswer(defaultPolicy(network), {
      default: true,
      slug: expect.stringMatching(/^default-policy-[A-Za-z0-9]{10}$/),
    }),
  );
  expect(second).toEqual(
    policyAnswer(POLICY_WITHOUT_NETWORKS as never, {
      slug: expect.stringMatching(/^testin-333-[A-Za-z0-9]{10}$/),
    }),
  );
  expect(rest).toEqual([]);
});

function sorted(service: { networks: string[] }) {
  return { ...service, networks: service.networks.toSorted() };
}

test("updating a policy keeps its slug and puts the management network first in each enabled service", async ({
  server,
  management,
}) => {
  const created = expectStatus(await send(server, "POST", POLICIES, newPolicy(management)), 201);
  await waitFor(() => Date.now() >= fromDocumentTime(created.created_at) + 1000, { what: "the next second" });
  const answer = await send(server, "PUT", `${POLICIES}/${created.id}`, changedPolicy(management));
  expect(expectStatus(answer, 200)).toEqual(
    policyAnswer(withManagementFirst(changedPolicy(management), management), {
      id: created.id,
      slug: created.slug,
      created_at: created.created_at,
    }),
  );
  expect(fromDocumentTime(answer.body.updated_at)).toBeGreaterThan(fromDocumentTime(created.updated_at));
  expect(expectStatus(await send(server, "GET", `${POLICIES}/${created.id}`), 200)).toEqual(answer.body);
});

test.for(["PUT", "POST"])(
  "attaching sites by %s answers the policy with all sites it now has",
  async (method, { server, management, sites }) => {
    const created = expectStatus(await send(server, "POST", POLICIES, newPolicy(management)), 201);
    const answer = await send(server, method, `${POLICIES}/${created.id}/sites`, { sites });
    expect(expectStatus(answer, 200)).toEqual(
      policyAnswer(withManagementFirst(newPolicy(management), management), {
        id: created.id,
        slug: created.slug,
        created_at: created.created_at,
        sites,
        rollout: { id: expect.stringMatching(UUID), state: "running" },
      }),
    );
    const shown = expectStatus(await send(server, "GET", `${POLICIES}/${created.id}`), 200);
    expect(shown).not.toHaveProperty("sites");
    expect(shown.winbox.networks[0]).toBe(management);
    for (const site of sites) {
      expect((await expectInSync(server.api, site)).policy_id).toBe(created.id);
    }
  },
);

test("attaching again moves a site, and attaching twice changes nothing", async ({
  server,
  management,
  sites,
}) => {
  const [first, second] = [await createPolicy(server, management), await createPolicy(server, management)];
  expectStatus(await send(server, "PUT", `${POLICIES}/${first.id}/sites`, { sites }), 200);
  const moved = await send(server, "PUT", `${POLICIES}/${second.id}/sites`, { sites: sites.slice(0, 1) });
  expect(expectStatus(moved, 200).sites).toEqual(sites.slice(0, 1));
  const twice = await send(server, "PUT", `${POLICIES}/${second.id}/sites`, { sites: sites.slice(0, 1) });
  expect(expectStatus(twice, 200).sites).toEqual(sites.slice(0, 1));
  const left = await send(server, "PUT", `${POLICIES}/${first.id}/sites`, { sites: [] });
  expect(expectStatus(left, 200).sites).toEqual(sites.slice(1));
});

test.for([`${POLICIES}/`, "/v1/policies/"])(
  "deleting a policy at %s answers 204 and its sites fall back to the default policy",
  async (path, { server, management, sites }) => {
    const policy = await createPolicy(server, management);
    expectStatus(await send(server, "PUT", `${POLICIES}/${policy.id}/sites`, { sites }), 200);
    const answer = await send(server, "DELETE", path + policy.id);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expectProblem(await send(server, "GET", `${POLICIES}/${policy.id}`), 404, "policy-not-found");
    const byId: { id: string; default: boolean }[] = expectStatus(await send(server, "GET", POLICIES), 200);
    const fallback = byId.find((known) => known.default)?.id;
    for (const site of sites) {
      expect(expectStatus(await send(server, "GET", `/v1/sites/${site}`), 200).policy_id).toBe(fallback);
    }
  },
);

test("the default policy can be changed and not deleted", async ({ server }) => {
  const policy = await useBindablePorts(server.api);
  expect(policy).toMatchObject({ default: true, ssh: { port: PORTS.ssh } });
  for (const path of [`${POLICIES}/${policy.id}`, `/v1/policies/${policy.id}`]) {
    expectProblem(await send(server, "DELETE", path), 409, "default-policy");
  }
});

test("resetting a site's login answers the new one, and the list shows it last with the old one's end", async ({
  server,
  sites,
}) => {
  const path = `/v1/control-plane/${sites[0]}/credentials`;
  const before = expectStatus(await send(server, "GET", path), 200);
  const username = "portreeve-api";
  const answer = await send(server, "POST", path);
  expect(expectStatus(answer, 201)).toEqual({
    id: expect.stringMatching(UUID),
    site_id: sites[0],
    username,
    password: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
    state: "pending",
    deleted_at: null,
  });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const after = await waitFor(async () => {
    const list = await send(server, "GET", path);
    return list.body.at(-1).state === "active" && list;
  });
  expect(after.headers.get("cache-control")).toBe("no-store");
  expect(after.body.at(-1)).toEqual({ ...answer.body, state: "active" });
  expect(after.body.at(-2)).toEqual({
    ...before.at(-1),
    state: "retired",
    deleted_at: expect.stringMatching(DELETION_TIME),
  });
  expect(after.body).toHaveLength(before.length + 1);
});

function accessAnswer(change: Record<string, unknown> = {}) {
  return {
    id: expect.stringMatching(UUID),
    username: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
    password: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
    port: expect.any(Number),
    type: "winbox",
    full_access: true,
    allow_rfc1918: false,
    config_committed_to_site: null,
    config_removed_from_site: false,
    config_removed_from_mpac: false,
    revoked_early: false,
    allow_only_ip: "127.0.0.1",
    allow_only_cidr: null,
    authorized_at: null,
    expires_at: expect.stringMatching(DOCUMENT_TIME),
    expired: false,
    entry_point: ENTRY_POINT,
    time_to_expire: "59 minutes from now",
    reason: null,
    ...change,
  };
}

const committed = { config_committed_to_site: expect.stringMatching(DOCUMENT_TIME) };

test("creating transient access answers 201 before the router has heard of it, and the commit time follows", async ({
  server,
  sites,
}) => {
  const path = `/v1/control-plane/${sites[0]}/transient-access`;
  const answer = await send(server, "POST", path, NEW_ACCESS);
  const access = expectStatus(answer, 201);
  expect(access).toEqual(accessAnswer());
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(access.port).toBeGreaterThanOrEqual(20_000);
  expect(access.port).toBeLessThanOrEqual(29_999);
  const inAnHour = Date.now() + 60 * 60_000;
  expect(Math.abs(fromDocumentTime(access.expires_at) - inAnHour)).toBeLessThan(30_000);
  const shown = await waitFor(async () => {
    const one = await send(server, "GET", `${path}/${access.id}`);
    return one.body.config_committed_to_site && one.body;
  });
  expect(shown).toEqual({ ...access, ...committed });
});

test("listing transient access answers a bare array of the current ones, newest first", async ({
  server,
  sites,
}) => {
  const path = `/v1/control-plane/${sites[1]}/transient-access`;
  const older = expectStatus(await send(server, "POST", path, NEW_ACCESS), 201);
  const newer = expectStatus(
    await send(server, "POST", path, { ...NEW_ACCESS, type: "ssh", full_access: false }),
    201,
  );
  await waitFor(async () => (await send(server, "GET", `${path}/${newer.id}`)).body.config_committed_to_site);
  const list = await send(server, "GET", path);
  expect(expectStatus(list, 200)).toEqual([
    accessAnswer({ ...newer, ...committed, type: "ssh", full_access: false }),
    accessAnswer({ ...older, ...committed }),
  ]);
  expect(older.port).not.toBe(newer.port);
});

test("revoking transient access answers 204 however often, and only the list of expired ones still shows it", async ({
  server,
  sites,
}) => {
  const path = `/v1/control-plane/${sites[0]}/transient-access`;
  const access = expectStatus(await send(server, "POST", path, NEW_ACCESS), 201);
  for (let time = 1; time <= 3; time++) {
    const answer = await send(server, "DELETE", `${path}/${access.id}`);
    expect([answer.status, answer.text]).toEqual([204, ""]);
  }
  const current: { id: string }[] = expectStatus(await send(server, "GET", path), 200);
  expect(current.map(({ id }) => id)).not.toContain(access.id);
  const ended = await waitFor(async () => {
    const all: TransientAccess[] = (await send(server, "GET", `${path}?include=expired`)).body;
    return all.find(
      (one) => one.id === access.id && one.config_removed_from_site && one.config_removed_from_mpac,
    );
  });
  expect(ended).toEqual(
    accessAnswer({
      ...access,
      password: null,
      revoked_early: true,
      config_committed_to_site: ended.config_committed_to_site,
      config_removed_from_site: true,
      config_removed_from_mpac: true,
      time_to_expire: expect.stringMatching(/ minutes from now$/),
    }),
  );
});

test("a request with a JSON content type, no body and no length is taken, as curl -X POST sends it", async ({
  server,
  sites,
}) => {
  const { hostname, port } = new URL(server.api.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(
    [
      `POST /v1/sites/${sites[0]}/reconcile HTTP/1.1`,
      `Host: ${hostname}`,
      "Content-Type: application/json",
      `Authorization: Bearer ${server.api.token}`,
      "Connection: close",
      "",
      "",
    ].join("\r\n"),
  );
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 202 /);
});

async function createPolicy(server: TestServer, management: string) {
  return expectStatus(await send(server, "POST", POLICIES, newPolicy(management)), 201);
}

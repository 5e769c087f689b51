/** Policies and attachments as a file: exported, planned and applied by the command line against real servers. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditEvent, Policy, Site } from "@portreeve/api-schema";
import { expect } from "vitest";
import { type Finished, runCli, temporaryDirectory } from "../packages/cli/src/testing.ts";
import {
  ADMIN,
  createPolicy,
  expectInSync,
  expectStatus,
  policyOf,
  startManagedRouter,
  startTestServer,
  type TestServer,
  useBindablePorts,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

// biome-ignore lint/correctness/noEmptyPattern: Vitest reads what a fixture needs from this pattern
const test = scenario.extend("directory", { scope: "file" }, async ({}, { onCleanup }) => {
  const directory = await temporaryDirectory();
  onCleanup(() => directory[Symbol.asyncDispose]());
  return directory.path;
});

const file = (directory: string, name: string) => join(directory, name);

function cli(server: TestServer, words: readonly string[], on: TestServer = server): Promise<Finished> {
  return runCli(words, { PORTREEVE_URL: on.api.url, PORTREEVE_TOKEN: on.api.token });
}

/** Export, with the text changed on its way into the file. @returns the file's path */
async function exported(
  server: TestServer,
  directory: string,
  change: (text: string) => string = (text) => text,
): Promise<string> {
  const { code, stdout, stderr } = await cli(server, ["export"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const path = file(directory, "fleet.yaml");
  await writeFile(path, change(`${stdout}\n`));
  return path;
}

/** A site whose router answers nowhere: these tests are about what Portreeve holds. */
async function addSite(server: TestServer, name: string, { api } = server, change = {}): Promise<Site> {
  const body = { name, address: server.net.address(), ...ADMIN, ...change };
  return expectStatus(await api.post("/v1/sites", body), 201);
}

const policies = async (server: TestServer, { api } = server): Promise<Policy[]> =>
  expectStatus(await api.get("/v1/control-plane/policies"), 200);

const sites = async (server: TestServer, { api } = server): Promise<Site[]> =>
  expectStatus(await api.get("/v1/sites?limit=200"), 200).data;

/** Name of a site -> name of its policy. */
async function attachments(server: TestServer, on = server): Promise<Record<string, string | undefined>> {
  const all = await policies(server, on);
  const entries = (await sites(server, on)).map(({ name, policy_id }) => [
    name,
    all.find(({ id }) => id === policy_id)?.name,
  ]);
  return Object.fromEntries(entries.sort());
}

/** A policy as text for a fleet file. */
const inFile = (name: string, change = {}, more = {}) => {
  const { name: _name, ...fields } = policyOf(change);
  return `policies:\n  ${name}: ${JSON.stringify({ ...fields, ...more })}\n`;
};

const actions = async (server: TestServer): Promise<string[]> =>
  (expectStatus(await server.api.get("/v1/audit?limit=200"), 200).data as AuditEvent[])
    .map(({ action }) => action)
    .filter((action) => action.startsWith("policy."));

test("what was exported changes nothing where it came from", async ({ server, directory }) => {
  const edge = await createPolicy(server.api, { name: "edge", trusted_networks: ["192.0.2.0/24"] });
  const site = await addSite(server, "fra-1");
  await addSite(server, "101");
  await server.api.post(`/v1/control-plane/policies/${edge.id}/sites`, { sites: [site.id] });
  const before = { actions: await actions(server), policies: await policies(server) };

  const path = await exported(server, directory);

  const nothing = "Nothing to change: Portreeve is as the file says.\n";
  expect(await cli(server, ["plan", "-f", path])).toEqual({ code: 0, stdout: nothing, stderr: "" });
  expect(await cli(server, ["apply", "-f", path])).toEqual({ code: 0, stdout: nothing, stderr: "" });
  expect({ actions: await actions(server), policies: await policies(server) }).toEqual(before);
});

test("what was exported makes the same policies on a fresh server with the same sites", async ({
  server,
  directory,
}) => {
  await using fresh = await startTestServer({
    env: { PORTREEVE_MANAGEMENT_ADDRESS: server.managementAddress },
  });
  for (const { name } of await sites(server)) await addSite(server, name, fresh);
  const path = await exported(server, directory);

  expect(await cli(server, ["apply", "-f", path, "--yes"], fresh)).toMatchObject({ code: 0, stderr: "" });

  const content = async (on: TestServer) =>
    (await policies(server, on)).map(
      ({ id: _id, slug: _slug, created_at: _c, updated_at: _u, ...rest }) => rest,
    );
  expect(await content(fresh)).toEqual(await content(server));
  expect(await attachments(server, fresh)).toEqual(await attachments(server));
  expect((await cli(server, ["plan", "-f", path], fresh)).code).toBe(0);
});

test("a file is applied once: the same file again changes nothing", async ({ server, directory }) => {
  await addSite(server, "ams-1");
  const path = file(directory, "core.yaml");
  await writeFile(path, inFile("core", { ssh: { port: 2222 } }, { sites: ["ams-1", "fra-1"] }));

  expect(await cli(server, ["plan", "-f", path])).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/^\+ policy core\n[\s\S]*\n1 policy to create, 2 sites to move\.\n$/),
  });
  const applied = await cli(server, ["apply", "-f", path, "--yes"]);
  expect(applied).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/\nApplied\.\n$/) });
  expect(await attachments(server)).toMatchObject({ "ams-1": "core", "fra-1": "core" });

  const before = await actions(server);
  expect((await cli(server, ["apply", "-f", path, "--yes"])).stdout).toMatch(/^Nothing to change/);
  expect(await actions(server)).toEqual(before);
});

test("a policy that was changed by hand comes back to what the file says", async ({ server, directory }) => {
  const path = file(directory, "core.yaml");
  const core = (await policies(server)).find(({ name }) => name === "core");
  await server.api.put(
    `/v1/control-plane/policies/${core?.id}`,
    policyOf({ name: "core", ssh: { port: 22 } }),
  );

  const { code, stdout } = await cli(server, ["plan", "-f", path]);

  expect({ code, stdout }).toEqual({
    code: 2,
    stdout: "~ policy core\n    ssh.port: 22 -> 2222\n1 policy to change.\n",
  });
  await cli(server, ["apply", "-f", path, "--yes"]);
  expect((await policies(server)).find(({ name }) => name === "core")?.ssh.port).toBe(2222);
});

test("policies that the file does not have stay, unless it prunes", async ({ server, directory }) => {
  const path = file(directory, "core.yaml");
  expect((await cli(server, ["plan", "-f", path])).code).toBe(0);

  const pruned = await cli(server, ["apply", "-f", path, "--yes", "--prune"]);

  expect(pruned.stdout).toContain("- policy edge\n");
  expect((await policies(server)).map(({ name }) => name)).toEqual(["Default Policy", "core"]);
});

test("a sent policy that the server refuses is told at the file's line, and nothing after it is sent", async ({
  server,
  directory,
}) => {
  const fingerprint = "ab".repeat(32);
  const transport = { management_transport: "api-ssl", tls_fingerprint: fingerprint };
  await addSite(server, "tls-1", server, transport);
  const path = file(directory, "refused.yaml");
  await writeFile(
    path,
    `policies:
  first: ${JSON.stringify({ ...policyOf(), name: undefined })}
  closing:
    sites:
      - ams-1
      - tls-1
    ${Object.entries(policyOf())
      .filter(([name]) => name !== "name")
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join("\n    ")}
  last: ${JSON.stringify({ ...policyOf(), name: undefined, sites: ["101"] })}
`,
  );

  const { code, stdout, stderr } = await cli(server, ["apply", "-f", path, "--yes"]);

  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe(
    [
      `portreeve: ${path}:14 policies.closing.api_ssl.enabled: must be true: Portreeve reaches tls-1 through api_ssl`,
      "  done before: + policy first",
      "  done before: + policy closing",
      "  done before: + policy last\n",
    ].join("\n"),
  );
  expect(await attachments(server)).toMatchObject({
    "ams-1": "core",
    "tls-1": "Default Policy",
    "101": "Default Policy",
  });
});

test("a file that is wrong is told line by line, and nothing is sent", async ({ server, directory }) => {
  const path = file(directory, "wrong.yaml");
  await writeFile(path, inFile("wrong", { ssh: { networks: ["10.0.0.5/8"] } }, { sites: ["nowhere"] }));
  const before = await actions(server);

  for (const verb of ["plan", "apply"]) {
    const { code, stderr } = await cli(server, [verb, "-f", path]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `portreeve: ${path}:2 policies.wrong.ssh.networks.0: has host bits set; write 10.0.0.0/8\n`,
    });
  }
  await writeFile(path, inFile("wrong", {}, { sites: ["nowhere"] }));
  expect((await cli(server, ["apply", "-f", path, "--yes"])).stderr).toMatch(
    /wrong\.yaml:2 policies\.wrong\.sites\.0: no site is called nowhere; portreeve sites list shows them\n$/,
  );
  expect(await actions(server)).toEqual(before);
});

test("a file is applied without a terminal only with --yes", async ({ server, directory }) => {
  const path = await exported(server, directory, (text) => text.replace("port: 2022", "port: 2023"));

  const { code, stderr } = await cli(server, ["apply", "-f", path]);

  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "portreeve: there is no terminal to ask at: give --yes to apply without being asked\n",
  });
  expect((await policies(server)).some(({ ssh }) => ssh.port === 2023)).toBe(false);
});

test("a site that shares its name is told by its id, and can be renamed", async ({ server }) => {
  const duplicate = await addSite(server, "ams-1");
  const told = await cli(server, ["export"]);
  expect(told).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/2 sites are called ams-1; .* rename /),
  });

  const renamed = await cli(server, ["sites", "rename", duplicate.id, "ams-2"]);

  expect(renamed.stdout).toBe(`Renamed ${duplicate.id} to ams-2\n`);
  expect((await cli(server, ["export"])).stdout).toContain("      - ams-2\n");
});

test("a plan shows what it would do to the routers, and that is what happens", async ({
  server,
  directory,
}) => {
  await using own = await startTestServer();
  await useBindablePorts(own.api);
  const { router, site } = await startManagedRouter(own);
  await addSite(server, "away", own);
  const path = file(directory, "routers.yaml");
  await writeFile(path, inFile("telnet", { telnet: { enabled: true } }, { sites: [site.name, "away"] }));
  const telnet = () => router.control.rows("/ip/service").find(({ name }) => name === "telnet")?.disabled;

  const plan = await cli(server, ["plan", "-f", path, "--routers"], own);

  expect(plan).toMatchObject({ code: 2, stderr: "" });
  expect(plan.stdout).toMatch(/^\+ policy telnet\n/);
  expect(plan.stdout).toMatch(
    new RegExp(`^router ${site.name}\\n    /ip service set .*telnet.* disabled=no`, "m"),
  );
  expect(plan.stdout).toMatch(/^router away could not be read: /m);
  expect(telnet()).toBe("true");

  await cli(server, ["apply", "-f", path, "--yes"], own);
  await expectInSync(own.api, site.id);
  expect(telnet()).toBe("false");
  await router.close();
});

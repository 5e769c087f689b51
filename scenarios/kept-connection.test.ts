/** Portreeve keeps one connection per router between runs, so that periods leave no trail in the router's log. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  expectInSync,
  expectStoredLogin,
  type ManagedRouter,
  startManagedRouter,
  startTestServer,
  type TestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { PORTREEVE_RECONCILE_SECONDS: "1" } });
  await useBindablePorts(server.api);
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

const logIns = ({ router }: ManagedRouter) =>
  router.control.transcript().filter(({ direction, words }) => direction === "in" && words[0] === "/login")
    .length;

async function checkedAt({ site }: ManagedRouter): Promise<string> {
  return (await server.api.get(`/v1/sites/${site.id}`)).body.sync.checked_at;
}

/** Wait until the site was looked at again, this many times. */
async function periods(managed: ManagedRouter, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = await checkedAt(managed);
    await waitFor(async () => (await checkedAt(managed)) !== before, { what: "another look at the site" });
  }
}

test("many periods cost no further login", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  await periods(managed, 1);
  const before = logIns(managed);
  await periods(managed, 3);
  expect(logIns(managed)).toBe(before);
});

test("after a reboot of the router a new connection takes its place", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const before = logIns(managed);
  await managed.router.control.reboot();
  await waitFor(() => logIns(managed) > before, { what: "another login" });
  await expectInSync(server.api, managed.site.id);
});

test("our user removed by hand is added again, with its password", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const { control } = managed.router;
  await control.removeRow("/user", "portreeve-api");
  await waitFor(() => control.rows("/user").some(({ name }) => name === "portreeve-api"), {
    what: "our user on the router",
  });
  await expectInSync(server.api, managed.site.id);
  await expectStoredLogin(server.api, managed);
});

test("the API service closed to us by hand is opened again", async () => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const { control } = managed.router;
  const api = () =>
    control.rows("/ip/service").find(({ name, dynamic }) => name === "api" && dynamic !== "true");
  await control.setRow("/ip/service", api()?.[".id"] ?? "", { address: "192.0.2.0/24" });
  await waitFor(() => api()?.address?.includes(server.managementAddress), {
    what: "the service to admit us again",
  });
  await expectInSync(server.api, managed.site.id);
  await expectStoredLogin(server.api, managed);
});

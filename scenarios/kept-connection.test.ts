/** Portreeve keeps one connection per router between runs, so that periods leave no trail in the router's log. */
import { expect } from "vitest";
import {
  expectChecked,
  expectInSync,
  expectStoredLogin,
  type ManagedRouter,
  startManagedRouter,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

const logIns = ({ router }: ManagedRouter) =>
  router.control.transcript().filter(({ direction, words }) => direction === "in" && words[0] === "/login")
    .length;

test("many periods cost no further login", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  await expectChecked(server.api, managed.site.id, { times: 1 });
  const before = logIns(managed);
  await expectChecked(server.api, managed.site.id, { times: 3 });
  expect(logIns(managed)).toBe(before);
});

test("after a reboot of the router a new connection takes its place", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const before = logIns(managed);
  await managed.router.control.reboot();
  await waitFor(() => logIns(managed) > before, { what: "another login" });
  await expectInSync(server.api, managed.site.id);
});

test("our user removed by hand is added again, with its password", async ({ server }) => {
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

test("the API service closed to us by hand is opened again", async ({ server }) => {
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

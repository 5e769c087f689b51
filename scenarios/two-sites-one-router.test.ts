/** Two sites for one router would fight over it. */
import { connect } from "node:net";
import { expect } from "vitest";
import {
  ADMIN,
  expectInSync,
  expectProblem,
  expectStatus,
  expectStoredLogin,
  expectSync,
  listen,
  startManagedRouter,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

test("a second site at the address and port of another one is refused where it is added", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const body = { name: "again", address: router.address, api_port: router.port("api"), ...ADMIN };
  const problem = expectProblem(await server.api.post("/v1/sites", body), 409, "router-already-added");
  expect(problem.detail).toContain(managed.site.name);
  expect(expectStatus(await server.api.get("/v1/sites"), 200).data).toHaveLength(1);
  await expectStoredLogin(server.api, managed);
});

test("a router that is reached by a second address is known by its serial number, and the first site keeps its login", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  await using second = await listen(server.net.address(), (socket) => {
    const target = { host: router.address, port: router.port("api"), localAddress: server.managementAddress };
    const onwards = connect(target);
    onwards.on("error", () => socket.destroy());
    socket.on("close", () => onwards.destroy());
    onwards.on("close", () => socket.destroy());
    socket.pipe(onwards).pipe(socket);
  });
  const body = { name: "again", address: second.address, api_port: second.port, ...ADMIN };
  const again = expectStatus(await server.api.post("/v1/sites", body), 201);
  const { sync } = await expectSync(server.api, again.id, "needs_attention");
  expect(sync.reason).toContain(`is the site ${managed.site.name} (${managed.site.id}) already`);
  await expectStoredLogin(server.api, managed);
  await server.restart();
  await expectInSync(server.api, managed.site.id);
  expect((await expectSync(server.api, again.id, "needs_attention")).sync.reason).toBe(sync.reason);
  await expectStoredLogin(server.api, managed);
});

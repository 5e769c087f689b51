/** Two sites for one router would fight over it. */
import { afterAll, beforeAll, test } from "vitest";
import {
  ADMIN,
  expectInSync,
  expectStatus,
  expectStoredLogin,
  expectSync,
  startManagedRouter,
  startTestServer,
  type TestServer,
  useBindablePorts,
} from "./harness/index.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ env: { PORTREEVE_RECONCILE_SECONDS: "1" } });
  await useBindablePorts(server.api);
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

test("a second site for a router that has one is refused or evaluated, and the first keeps its login", async () => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const again = await server.api.post("/v1/sites", { name: "again", address: router.address, ...ADMIN });
  if (again.status !== 409) {
    const { id } = expectStatus(again, 201);
    await expectSync(server.api, id, "needs_attention");
  }
  await expectStoredLogin(server.api, managed);
  await server.restart();
  await expectInSync(server.api, managed.site.id);
});

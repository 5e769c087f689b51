/** Revoking while the database is away: closed all the same, and recorded when it is back. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { openClient } from "../packages/server/src/database/connection.ts";
import { createTestDatabase } from "../packages/server/src/database/testing.ts";
import { SiteAccess } from "./harness/access.ts";
import {
  expectProblem,
  startManagedRouter,
  startTestServer,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";

/** A database that can be taken away from everybody who uses it, and given back. */
async function startDatabase() {
  const database = await createTestDatabase();
  const url = new URL(database.connectionString);
  const name = url.pathname.slice(1);
  url.pathname = "/postgres";
  const admin = await openClient(url.href);
  return {
    url: database.connectionString,
    async takeAway() {
      await admin.query(`alter database ${name} allow_connections false`);
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    },
    giveBack: () => admin.query(`alter database ${name} allow_connections true`),
    async [Symbol.asyncDispose]() {
      await admin.end();
      await database.drop();
    },
  };
}

test("without the database an access is closed, the answer says so, and who did it is recorded later", async () => {
  await using database = await startDatabase();
  await using server = await startTestServer({ env: { DATABASE_URL: database.url } });
  await useBindablePorts(server.api);
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const desk = new SiteAccess(server, managed);
  const [access, kept] = [await desk.open({ type: "winbox" }), await desk.open({ type: "winbox" })];
  const socket = connect({ ...desk.throughGateway(access), localAddress: "127.0.0.1" });
  socket.on("error", () => undefined);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.write("hello");
  await desk.event(access, "access.connected");

  await database.takeAway();
  const asked = performance.now();
  expectProblem(await server.api.delete(`${desk.path}/${access.id}`), 503, "closed-not-recorded");
  await ended;
  expect(performance.now() - asked).toBeLessThan(5_000);
  expect((await server.api.get(`${desk.path}/${kept.id}`)).status).toBeGreaterThanOrEqual(500);

  await database.giveBack();
  await waitFor(async () => (await desk.actions(access)).includes("access.closed"), {
    within: 20_000,
    what: "the record of what was closed",
  });
  expect(await desk.show(access)).toMatchObject({ revoked_early: true, config_removed_from_mpac: true });
  const revoked = (await desk.events(access)).filter(({ action }) => action === "access.revoked");
  expect(revoked).toEqual([expect.objectContaining({ actor: expect.stringMatching(/^token:/) })]);
  expect((await desk.show(kept)).config_removed_from_mpac).toBe(false);
}, 90_000);

/** Control plane, gateway and database together. */
import { connect, createServer } from "node:net";
import type { RunningGateway } from "@portreeve/gateway";
import { waitFor } from "@portreeve/testing";
import { sql } from "kysely";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { revokerText } from "./records.ts";
import { type AccessWorld, accessWorld, Client, type TestApi } from "./testing.fixture.ts";

let world: AccessWorld;
let api: TestApi;
let gateway: RunningGateway;

beforeEach(async () => {
  world = await accessWorld();
  api = await world.startApi();
  gateway = await world.startGateway(api);
  await waitFor(() => gateway.problem === undefined);
});

afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const by = revokerText({ tokenId: "00000000-0000-4000-8000-000000000001", name: "t", address: "192.0.2.1" });
const isOpen = (id: string) => gateway.listeners().some((listener) => listener.id === id);

async function opened(options: Parameters<AccessWorld["addGrant"]>[0] = {}): Promise<string> {
  const id = await world.addGrant(options);
  await api.control.opened(id, world.gatewayId);
  expect(isOpen(id)).toBe(true);
  return id;
}

async function client(id: string): Promise<Client> {
  return Client.open((await world.grant(id)).port);
}

const recordedClosed = (id: string) =>
  waitFor(async () => (await world.grant(id)).removed_from_gateway_at !== null);

test("an open grant has a listener that leads to its router", async () => {
  const id = await opened();
  using one = await client(id);
  expect(await one.echo("hello")).toBe("hello");
  await waitFor(async () => (await world.grant(id)).authorized_at !== null);
});

test("a grant that was revoked without its gateway is closed when it is looked at, and marked so", async () => {
  const id = await opened();
  await world.change(id, { revoked_at: sql`now()` });
  api.control.grantChanged(id, undefined);
  await recordedClosed(id);
  expect(isOpen(id)).toBe(false);
  expect(await world.actions(id)).toEqual(["access.closed"]);
});

test("close answers when the live stream has stopped, and what it did is recorded with who asked", async () => {
  const id = await opened();
  using one = await client(id);
  expect(await api.control.close(id, world.gatewayId, by)).toBe(true);
  await one.closed;
  await recordedClosed(id);
  expect(await world.grant(id)).toMatchObject({ revoked_at: expect.any(Date) });
  expect(await world.actions(id)).toEqual([
    "access.connected",
    "access.disconnected",
    "access.revoked",
    "access.closed",
  ]);
  const [event] = await world.db.database.asSystem((trx) =>
    trx.selectFrom("audit_events").select("actor").where("action", "=", "access.revoked").execute(),
  );
  expect(event?.actor).toBe("token:t");
});

test("a grant that expires is closed at that moment without a query, and recorded afterwards", async () => {
  const id = await opened({ seconds: 1 });
  using one = await client(id);
  await one.closed;
  await recordedClosed(id);
  expect((await world.actions(id)).at(-1)).toBe("access.expired");
});

test("a connection waits for the router's user and passes when it is there", async () => {
  const id = await opened({ committed: false });
  const waiting = client(id);
  const other = await opened();
  using _other = await client(other);
  expect((await world.grant(id)).authorized_at).toBeNull();
  await world.change(id, { committed_at: sql`now()` });
  api.control.grantChanged(id, undefined);
  using one = await waiting;
  expect(await one.echo("hello")).toBe("hello");
});

test("the listener of a site that was forgotten is closed", async () => {
  const id = await opened();
  await world.db.database.asSystem((trx) => trx.deleteFrom("sites").where("id", "=", world.siteId).execute());
  api.control.siteChanged(world.siteId);
  await waitFor(() => isOpen(id) === false);
});

test("a site that is being deleted has no open access", async () => {
  const id = await opened();
  await world.db.database.asSystem((trx) =>
    trx.updateTable("sites").set({ status: "deleting" }).where("id", "=", world.siteId).execute(),
  );
  api.control.siteChanged(world.siteId);
  await recordedClosed(id);
  expect(isOpen(id)).toBe(false);
  expect(await world.actions(id)).toEqual(["access.closed"]);
});

test("an end that is put off in the database, as by a clock set back, is not put off at the gateway", async () => {
  const id = await opened({ seconds: 2 });
  using one = await client(id);
  await world.change(id, { expires_at: sql`expires_at + interval '1 hour'` });
  api.control.grantChanged(id, undefined);
  await one.closed;
  await recordedClosed(id);
  api.control.compare();
  const later = await opened();
  expect(isOpen(later)).toBe(true);
  expect(isOpen(id)).toBe(false);
});

test("one port that another program holds keeps no other shut, and is opened when it is free", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const blocked = await world.addGrant({ port: (taken.address() as { port: number }).port });
  api.control.grantChanged(blocked, undefined);
  using _one = await client(await opened());
  expect(isOpen(blocked)).toBe(false);
  await new Promise((resolve) => taken.close(resolve));
  await waitFor(() => isOpen(blocked) === true);
});

test("an API that restarts cuts nobody, and takes the grants up again", async () => {
  const id = await opened();
  using one = await client(id);
  const { path } = api;
  await api[Symbol.asyncDispose]();
  expect(await one.echo("still there")).toBe("still there");
  api = await world.startApi({ path });
  await waitFor(() => api.control.told(id)?.state === "open");
  expect(await one.echo("and on")).toBe("and on");
  expect(await api.control.close(id, world.gatewayId, by)).toBe(true);
  await one.closed;
});

test("a gateway that restarts opens what is open, and nothing that has ended meanwhile", async () => {
  const [going, revoked] = [await opened(), await opened()];
  await gateway[Symbol.asyncDispose]();
  await world.change(revoked, { revoked_at: sql`now()` });
  gateway = await world.startGateway(api);
  await waitFor(() => isOpen(going) === true);
  await recordedClosed(revoked);
  expect(isOpen(revoked)).toBe(false);
});

test("what has ended while no gateway was there is recorded without one", async () => {
  const id = await opened();
  await gateway[Symbol.asyncDispose]();
  await world.change(id, { expires_at: sql`now()` });
  await waitFor(async () => (await world.grant(id)).removed_from_gateway_at !== null);
  expect(await world.actions(id)).toEqual(["access.expired"]);
});

test("a gateway of another host can't take the name while the first may carry", async () => {
  const id = await opened();
  const said: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void said.push(line) });
  const other = await world.startGateway(api, { stateDir: await world.stateDir(), log });
  await waitFor(() => said.join("").includes("another process holds this gateway"), { seen: () => said });
  expect(other.listeners()).toEqual([]);
  expect(other.problem).toBeDefined();
  expect(isOpen(id)).toBe(true);
  await other[Symbol.asyncDispose]();
});

test("a report with another fence than the lease's is passed over", async () => {
  const id = await opened();
  await world.db.database.asSystem((trx) =>
    trx.updateTable("grant_leases").set({ fence: "99" }).where("grant_id", "=", id).execute(),
  );
  expect(await api.control.close(id, world.gatewayId, by)).toBe(true);
  const next = await opened();
  await api.control.close(next, world.gatewayId, by);
  await recordedClosed(next);
  expect((await world.grant(id)).removed_from_gateway_at).toBeNull();
});

test("a grant opened or closed by another API process is followed by the one that has the channel", async () => {
  await using other = await world.startApi();
  const id = await world.addGrant();
  const standing = other.control.opened(id, world.gatewayId);
  await world.db.database.asSystem((trx) =>
    sql`select pg_notify('portreeve_access', ${`${id} ${other.control.origin}`})`.execute(trx),
  );
  await standing;
  expect(isOpen(id)).toBe(true);
  using one = await client(id);
  expect(await other.control.close(id, world.gatewayId, by)).toBe(true);
  await one.closed;
  expect(await other.control.close(id, world.gatewayId, by)).toBe(true);
});

test("a revocation that comes while the gateway dials is answered when it has come", async () => {
  const id = await opened();
  using one = await client(id);
  const { path } = api;
  await api[Symbol.asyncDispose]();
  api = await world.startApi({ path });
  expect(api.control.told(id)).toBeUndefined();
  expect(await api.control.close(id, world.gatewayId, by)).toBe(true);
  await one.closed;
});

test("a channel without a gateway's token is refused", async () => {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect({ path: api.path });
    socket.write(
      "GET /v1/gateways/control HTTP/1.1\r\nHost: control\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
        "Authorization: Bearer 0123456789012345678901234567890123456789\r\n\r\n",
    );
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
  expect(answer).toMatch(/^HTTP\/1.1 401 /);
});

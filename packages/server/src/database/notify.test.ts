import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "./log.ts";
import { notify } from "./notifier.ts";
import { Notifications } from "./notify.ts";
import { Relay } from "./relay.fixture.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
});
afterAll(() => testDatabase.drop());

async function listen(
  channels: string[],
  onNotification?: (channel: string, payload: string) => void,
  more: { connection?: string; heartbeatMs?: number } = {},
) {
  const heard: string[] = [];
  const state = { heard, reconnects: 0 };
  const notifications = await Notifications.open({
    connection: testDatabase.connectionString,
    channels,
    onNotification: onNotification ?? ((channel, payload) => heard.push(`${channel}:${payload}`)),
    onReconnect: () => {
      state.reconnects++;
    },
    log: silentLog,
    ...more,
  });
  return Object.assign(notifications, state, { state });
}

const say = (channel: string, payload?: string) =>
  testDatabase.database.asSystem((trx) => notify(trx, channel, payload));

/** End the connections that listen, as a restarted server would. */
const endListeners = () =>
  testDatabase.database.asSystem(async (trx) => {
    await sql`reset role`.execute(trx);
    const { rows } = await sql<{ ended: boolean }>`
      select pg_terminate_backend(pid) as ended from pg_stat_activity
       where datname = current_database() and query ilike 'listen %'`.execute(trx);
    return rows.length;
  });

test("what is announced in a transaction is heard on its channel after the commit", async () => {
  await using listener = await listen(["sites", "Odd Name"]);
  await say("sites", "one");
  await say("elsewhere", "two");
  await say("Odd Name");
  await expect.poll(() => listener.heard, SOON).toEqual(["sites:one", "Odd Name:"]);
});

test("what is announced in a transaction that rolls back is never heard", async () => {
  await using listener = await listen(["sites"]);
  const failing = testDatabase.database.asSystem(async (trx) => {
    await notify(trx, "sites", "never");
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  await say("sites", "after");
  await expect.poll(() => listener.heard, SOON).toEqual(["sites:after"]);
});

test("listeners are told to look again once at the start and once after each lost connection", async () => {
  await using listener = await listen(["sites"]);
  expect(listener.state.reconnects).toBe(1);
  expect(await endListeners()).toBe(1);
  await expect.poll(() => listener.state.reconnects, SOON).toBe(2);
  expect(await endListeners()).toBe(1);
  await expect.poll(() => listener.state.reconnects, SOON).toBe(3);
  await say("sites", "again");
  await expect.poll(() => listener.heard, SOON).toEqual(["sites:again"]);
});

test("a link that swallows everything counts as lost and is replaced", async () => {
  await using relay = await Relay.open(testDatabase.connectionString);
  await using listener = await listen(["sites"], undefined, { connection: relay.url, heartbeatMs: 500 });
  relay.swallow();
  await expect.poll(() => listener.state.reconnects, SOON).toBeGreaterThan(1);
  await say("sites", "again");
  await expect.poll(() => listener.heard, SOON).toEqual(["sites:again"]);
});

test("a listener that throws does not end the listening", async () => {
  const heard: string[] = [];
  await using _listener = await listen(["sites"], (_channel, payload) => {
    heard.push(payload);
    throw new Error("a mistake");
  });
  await say("sites", "one");
  await say("sites", "two");
  await expect.poll(() => heard, SOON).toEqual(["one", "two"]);
});

test("a payload too long for PostgreSQL is refused before the transaction fails", async () => {
  await testDatabase.database.asSystem(async (trx) => {
    await expect(notify(trx, "sites", "x".repeat(8000))).rejects.toThrow(RangeError);
    await notify(trx, "sites", "x".repeat(7999));
  });
});

test("closing ends the connection, and a second time does nothing", async () => {
  const listener = await listen(["sites"]);
  await listener.close();
  await listener.close();
  expect(await endListeners()).toBe(0);
});

test("the first connect's failure is the caller's to handle", async () => {
  const nowhere = new URL(testDatabase.connectionString);
  nowhere.pathname = "/portreeve_no_such_database";
  const opening = Notifications.open({
    connection: nowhere.href,
    channels: ["sites"],
    onNotification: () => {},
    onReconnect: () => {},
    log: silentLog,
  });
  await expect(opening).rejects.toMatchObject({ code: "3D000" });
});

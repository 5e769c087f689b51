import { afterAll, beforeAll, expect, test } from "vitest";
import { Database } from "./database.ts";
import { silentLog } from "./log.ts";
import { type Notice, Notifier, notify } from "./notifier.ts";
import { Notifications } from "./notify.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };

let testDatabase: TestDatabase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
});
afterAll(() => testDatabase.drop());

/** A notifier whose sender records, and refuses while told to. */
function recording() {
  const state = { sent: [] as string[][], refusing: false };
  const notifier = new Notifier({
    log: silentLog,
    async send(notices) {
      if (state.refusing) throw new Error("away");
      state.sent.push(notices.map(({ payload }) => payload));
    },
  });
  return Object.assign(notifier, { state });
}

const notices = (...payloads: string[]): Notice[] =>
  payloads.map((payload) => ({ channel: "sites", payload }));

test("what is announced close together leaves in one statement, each notice once, in order", async () => {
  const notifier = recording();
  notifier.add(notices("a", "b"));
  notifier.add(notices("a", "c"));
  notifier.add([{ channel: "other", payload: "a" }]);
  await expect.poll(() => notifier.state.sent, SOON).toEqual([["a", "b", "c", "a"]]);
});

test("a notice that comes while the same one is being sent is sent again", async () => {
  const first = Promise.withResolvers<void>();
  const sent: string[] = [];
  const notifier = new Notifier({
    log: silentLog,
    async send(batch) {
      sent.push(...batch.map(({ payload }) => payload));
      if (sent.length === 1) await first.promise;
    },
  });
  notifier.add(notices("a"));
  await expect.poll(() => sent, SOON).toEqual(["a"]);
  notifier.add(notices("a"));
  first.resolve();
  await expect.poll(() => sent, SOON).toEqual(["a", "a"]);
});

test("while nothing can be sent the notifier says so, and what waited is sent later", async () => {
  const notifier = recording();
  notifier.state.refusing = true;
  notifier.add(notices("a"));
  await expect.poll(() => notifier.problem, SOON).toBe("notifications can't be sent");
  notifier.state.refusing = false;
  await expect.poll(() => notifier.state.sent, SOON).toEqual([["a"]]);
  expect(notifier.problem).toBeUndefined();
});

test("closing sends what waits at once, and gives up when nothing can be sent", async () => {
  const notifier = recording();
  notifier.add(notices("a"));
  await notifier.close();
  expect(notifier.state.sent).toEqual([["a"]]);
  const away = recording();
  away.state.refusing = true;
  away.add(notices("a"));
  await away.close();
  expect(away.state.sent).toEqual([]);
});

test("a database that is closed right after a commit has announced it", async () => {
  const heard: string[] = [];
  await using _listener = await Notifications.open({
    connection: testDatabase.connectionString,
    channels: ["sites"],
    onNotification: (_channel, payload) => heard.push(payload),
    onReconnect: () => {},
    log: silentLog,
  });
  const database = await Database.open({ connection: testDatabase.connectionString, log: silentLog });
  await database.asSystem((trx) => notify(trx, "sites", "last words"));
  await database.close();
  await expect.poll(() => heard, SOON).toEqual(["last words"]);
});

/** What a lost primary and a link that breaks cost: wall clock, so these run alone. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { isUnavailable, namedConnection } from "./connection.ts";
import { Database } from "./database.ts";
import type { Connection } from "./hosts.ts";
import { silentLog } from "./log.ts";
import { notify } from "./notifier.ts";
import { Notifications } from "./notify.ts";
import { startPair } from "./pair.fixture.ts";
import { Relay } from "./relay.fixture.ts";
import { createTestDatabase } from "./testing.ts";

const WRITES_PER_SECOND = 200;
/** How long a condition is waited for, and how often it is looked at, milliseconds. */
const SOON = { timeout: 30_000, interval: 10 };

/** Writes names at a steady rate, whatever becomes of them, until told to stop. */
function writeSteadily(database: Database) {
  const state = { acknowledged: [] as string[], lastAt: 0, unexpected: [] as unknown[] };
  const running = new Set<Promise<void>>();
  let number = 0;
  const write = async (name: string) => {
    try {
      await database.asSystem((trx) => trx.insertInto("customers").values({ name }).execute());
      state.acknowledged.push(name);
      state.lastAt = performance.now();
    } catch (error) {
      if (!isPassing(error)) state.unexpected.push(error);
    }
  };
  const timer = setInterval(() => {
    const one = write(`write ${++number}`).finally(() => running.delete(one));
    running.add(one);
  }, 1000 / WRITES_PER_SECOND);
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(running);
  };
  return { state, stop };
}

/** What a client may be told while there is no primary; the API answers 503 for each. */
function isPassing(error: unknown): boolean {
  return (
    isUnavailable(error) || (error as Error).message.startsWith("Client has encountered a connection error")
  );
}

async function listen(connection: Connection) {
  const state = { heard: [] as string[], connects: 0 };
  const notifications = await Notifications.open({
    connection,
    channels: ["sites"],
    onNotification: (_channel, payload) => state.heard.push(payload),
    onReconnect: () => {
      state.connects += 1;
    },
    log: silentLog,
  });
  return Object.assign(notifications, { state });
}

test("a primary killed under 200 writes a second loses none that was acknowledged, and its standby takes over without a restart", async () => {
  await using pair = await startPair();
  const connection = namedConnection(pair.url, "portreeve failover"); // as a server process has it
  await using database = await Database.open({ connection, maxConnections: 20, log: silentLog });
  await using listener = await listen(connection);
  const writer = writeSteadily(database);
  await expect.poll(() => writer.state.acknowledged.length, SOON).toBeGreaterThan(2 * WRITES_PER_SECOND);

  const killedAt = performance.now();
  await pair.killPrimary();
  const before = writer.state.acknowledged.length;
  await expect.poll(() => database.problem(), SOON).toBe("does not answer");
  await pair.promote();
  await expect.poll(() => writer.state.acknowledged.length, SOON).toBeGreaterThan(before);
  const backAfterMs = performance.now() - killedAt;
  await expect.poll(() => listener.state.connects, SOON).toBe(2);
  await sleep(1_000); // of writes on the new primary
  await writer.stop();

  const kept = await database.readAsSystem((trx) => trx.selectFrom("customers").select("name").execute());
  const names = new Set(kept.map(({ name }) => name));
  const lost = writer.state.acknowledged.filter((name) => !names.has(name));
  console.log(
    `failover: ${writer.state.acknowledged.length} acknowledged, ${lost.length} lost, ` +
      `back after ${Math.round(backAfterMs)} ms`,
  );
  expect(lost).toEqual([]);
  expect(writer.state.unexpected).toEqual([]);
  expect(backAfterMs).toBeLessThan(30_000);
  await database.asSystem((trx) => notify(trx, "sites", "after"));
  await expect.poll(() => listener.state.heard, SOON).toEqual(["after"]);
  expect(await database.problem()).toBeUndefined();
  expect(listener.problem).toBeUndefined();
}, 120_000);

test("a link that swallows everything is noticed within 15 seconds, by the pool and by the listener", async () => {
  await using testDatabase = await createTestDatabase();
  await using relay = await Relay.open(testDatabase.connectionString);
  await using database = await Database.open({ connection: relay.url, maxConnections: 20, log: silentLog });
  await using listener = await listen(relay.url);
  const write = (name: string) =>
    database.asSystem((trx) => trx.insertInto("customers").values({ name }).execute());
  await Promise.all(Array.from({ length: 20 }, (_, index) => write(`before ${index}`)));

  const swallowedAt = performance.now();
  relay.swallow();
  const failing = await Promise.allSettled(Array.from({ length: 5 }, (_, index) => write(`during ${index}`)));
  expect(failing.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  await write("after");
  const poolMs = performance.now() - swallowedAt;
  await expect.poll(() => listener.state.connects, SOON).toBe(2);
  const listenerMs = performance.now() - swallowedAt;
  console.log(`black hole: pool ${Math.round(poolMs)} ms, listener ${Math.round(listenerMs)} ms`);
  expect(poolMs).toBeLessThan(15_000);
  expect(listenerMs).toBeLessThan(15_000);
}, 60_000);

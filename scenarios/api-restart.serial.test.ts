/** People at work on routers don't notice that the API is killed, stands still or is started anew. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { SiteAccess } from "./harness/access.ts";
import { type ManagedRouter, startManagedRouter, useBindablePorts, waitFor } from "./harness/index.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { bytesOfOpenPeers, endIn, openAccesses, Stream } from "./harness/streams.ts";

const STREAMS = 200;
/** So many of them end while the API is away or comes back. */
const ENDING = 100;
/** Their ends begin and are spread over this time, seconds. */
const FIRST_END_S = 3;
const ENDS_OVER_S = 32;
const STANDSTILL_MS = 20_000;
const LATEST_END_MS = 1_000;
/** The stream that ends may be cut a little before, by the rounding of the clocks, milliseconds. */
const EARLY_MS = 50;

/** RouterOS takes twenty at a service unless it is told otherwise. */
async function takeManySessions({ control }: ManagedRouter["router"]): Promise<void> {
  const winbox = control.rows("/ip/service").find(({ name }) => name === "winbox");
  await control.setRow("/ip/service", winbox?.[".id"], { "max-sessions": "1000" });
}

test(`of ${STREAMS} streams none is cut while the API is killed, stands still and restarts, and every end is on time`, async () => {
  await using server = await ServerProcess.prepare({ PORTREEVE_LOG_LEVEL: "warn" });
  server.start();
  await server.ready();
  await useBindablePorts(server.api);
  const managed = await startManagedRouter(server);
  await using _router = managed.router;
  const desk = new SiteAccess(server, managed);
  await takeManySessions(managed.router);
  using streams = new DisposableStack();
  const all: Stream[] = [];
  const accesses = await openAccesses(desk, STREAMS + 1);
  // A connection waits ten seconds for its user to be on the router; so many users take longer.
  const usersLeft = async () => {
    const [row] = await server.sql(
      "select count(*)::int as left from transient_access where committed_at is null",
    );
    return Number(row?.left);
  };
  let left = Number.NaN;
  await waitFor(
    async () => {
      left = await usersLeft();
      return left === 0;
    },
    { within: 45_000, what: "the users to be on the router", seen: () => `${left} are not` },
  );
  for (const access of accesses) all.push(streams.use(await Stream.open(desk, access)));
  const flowing = () => bytesOfOpenPeers(desk).filter((bytes) => bytes > 0).length;
  await waitFor(() => flowing() === STREAMS + 1, {
    within: 15_000,
    what: "all streams to carry bytes",
    seen: () => `${flowing()} do`,
  });

  const [sentinel, ending, lasting] = [all.slice(0, 1), all.slice(1, ENDING + 1), all.slice(ENDING + 1)];
  const idsOf = (some: Stream[]) => some.map(({ access }) => access.id);
  const ends = await endIn(server, idsOf(ending), (index) => FIRST_END_S + (index * ENDS_OVER_S) / ENDING);
  // Changes reach the gateway in their order: when this one has ended, it knows of all ends.
  await endIn(server, idsOf(sentinel), () => 1);
  await sentinel[0]?.over;

  const killed = await server.signalRole("api", "SIGKILL");
  await server.roleReplaced("api", killed);
  const standing = await server.signalRole("api", "SIGSTOP");
  try {
    await delay(STANDSTILL_MS);
  } finally {
    process.kill(standing, "SIGCONT");
  }
  const stopped = await server.signalRole("api", "SIGTERM");
  await server.roleReplaced("api", stopped);

  await Promise.all(ending.map(({ over }) => over));
  const late = ending.map(({ overAt = Number.NaN }, index) => overAt - (ends[index] ?? Number.NaN));
  const sorted = late.toSorted((one, other) => one - other);
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
  console.info(`ends of streams after their access's end: p99 ${p99.toFixed(0)} ms of ${late.length}`);
  expect(sorted[0]).toBeGreaterThan(-EARLY_MS);
  expect(p99).toBeLessThanOrEqual(LATEST_END_MS);

  expect(lasting.filter(({ overAt }) => overAt !== undefined)).toEqual([]);
  // The gateway leaves no connection to the router open for a stream that has ended.
  await waitFor(() => bytesOfOpenPeers(desk).length === lasting.length, {
    what: "the router's connections of the ended streams to be closed",
    seen: () => `${bytesOfOpenPeers(desk).length} are open`,
  });
  const before = bytesOfOpenPeers(desk);
  await waitFor(() => bytesOfOpenPeers(desk).every((bytes, index) => bytes > (before[index] ?? 0)), {
    what: "every stream that is left to carry more",
  });
}, 240_000);

/** The ends of grants: on time, and never later, whatever else happens. */
import { waitFor } from "@portreeve/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTarget, type TestClient } from "./byte-path/test-sockets.ts";
import type { OpenMessage } from "./messages.ts";
import { freePort, ScriptedControl, startTestGateway, type TestGateway } from "./testing.fixture.ts";

let target: Awaited<ReturnType<typeof startTarget>>;
let control: ScriptedControl;
let tested: TestGateway;

beforeEach(async () => {
  target = await startTarget();
  control = await ScriptedControl.start();
  tested = await startTestGateway(control, {
    limits: {
      openingPerGrant: 100,
      openingPerSource: 100,
      connectionsPerGrant: 100,
      connectionsPerSource: 100,
    },
  });
  await control.hear("hello");
});

afterEach(async () => {
  await tested[Symbol.asyncDispose]();
  await control[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

/** A grant that is open at the gateway. */
async function opened(differs: Partial<OpenMessage> = {}): Promise<OpenMessage> {
  const message = control.grant(target, { port: await freePort(), ...differs });
  control.say(message);
  await control.hear("opened", ({ grant }) => grant === message.grant);
  return message;
}

/** A client whose bytes go to the router and come back. */
async function streaming(message: OpenMessage): Promise<TestClient> {
  const client = tested.connect(message);
  client.socket.write("x");
  await waitFor(() => client.received.length === 1);
  return client;
}

const closedReport = (message: OpenMessage) =>
  control.hear("report", ({ grant, closed }) => grant === message.grant && closed !== undefined);

test("a grant ends when its time is over, without a word from the control plane", async () => {
  const begun = performance.now();
  const message = await opened({ endsInMs: 400 });
  using client = await streaming(message);
  await control.goAway();
  await waitFor(() => client.closed);
  const lasted = performance.now() - begun;
  expect(lasted).toBeGreaterThan(395);
  expect(lasted).toBeLessThan(1_400);
  await waitFor(() => !tested.isOpen(message));
});

test("500 live streams end within a second of their time, and not before it", async () => {
  const end = performance.now() + 5_000;
  const grants: OpenMessage[] = [];
  for (let count = 0; count < 10; count++) grants.push(await opened({ endsInMs: end - performance.now() }));
  const clients = await Promise.all(
    grants.flatMap((grant) => Array.from({ length: 50 }, () => streaming(grant))),
  );
  expect(performance.now()).toBeLessThan(end);
  const late: number[] = [];
  for (const client of clients) client.socket.once("close", () => late.push(performance.now() - end));
  await waitFor(() => late.length === 500, { within: 20_000 });
  expect(Math.max(...late)).toBeLessThan(1_000);
  expect(Math.min(...late)).toBeGreaterThan(-100);
});

test("a wall clock that passes the end ends it, as after a suspended host", async () => {
  const message = await opened();
  using client = await streaming(message);
  tested.clock.wallShiftMs = 600_001;
  client.socket.write("late");
  await waitFor(() => client.closed);
  expect(target.sockets[0]?.bytesRead).toBe(1);
  expect(await closedReport(message)).toMatchObject({ closed: { reason: "expired" } });
});

test("bytes that come after the end are not forwarded, although no timer has run", async () => {
  const message = await opened();
  using client = await streaming(message);
  // The timer still sleeps for ten minutes: it is what a process that was stopped over the end finds.
  tested.clock.monotonicShiftMs = 600_001;
  client.socket.write("late");
  await waitFor(() => client.closed);
  expect(target.sockets[0]?.bytesRead).toBe(1);
});

test("a wall clock that is set back lengthens nothing", async () => {
  const message = await opened({ endsInMs: 500 });
  using client = await streaming(message);
  tested.clock.wallShiftMs = -3_600_000;
  await waitFor(() => client.closed);
});

test("an end can be brought nearer and not put off", async () => {
  const message = await opened({ endsInMs: 600 });
  using client = await streaming(message);
  control.say({ ...message, endsInMs: 3_600_000, endsAtMs: message.endsAtMs + 3_600_000 });
  await waitFor(() => client.closed);
  const other = await opened();
  using second = await streaming(other);
  control.say({ ...other, endsInMs: 100 });
  await waitFor(() => second.closed);
});

test("an open that lay on its way beyond the grant's end opens nothing", async () => {
  await waitFor(() => tested.gateway.problem !== "has not heard from the control plane");
  const message = control.grant(target, {
    port: await freePort(),
    endsInMs: 600_000,
    endsAtMs: Date.now() - 1,
  });
  control.say(message);
  expect(await closedReport(message)).toMatchObject({ closed: { reason: "expired" } });
  expect(tested.isOpen(message)).toBe(false);
});

test("after a restart a database clock that was set back lengthens nothing and opens nothing again", async () => {
  const over = await opened({ endsInMs: 300 });
  const going = await opened({ endsInMs: 3_000 });
  await closedReport(over);
  const back = 3_600_000;
  control.databaseTimeMs = () => Date.now() - back;
  await tested.restart();
  control.heard.length = 0;
  await control.hear("renew");
  // As a database whose clock is an hour behind tells it.
  for (const message of [over, going]) control.say({ ...message, endsInMs: message.endsInMs + back });
  await closedReport(over);
  await control.hear("opened", ({ grant }) => grant === going.grant);
  expect(tested.isOpen(over)).toBe(false);
  using client = await streaming(going);
  await waitFor(() => client.closed);
  expect(control.heard.some(({ type }) => type === "hello")).toBe(true);
});

test("a grant opened after the database's clock was set back lasts its time", async () => {
  await opened();
  control.databaseTimeMs = () => Date.now() - 3_600_000;
  control.heard.length = 0;
  await control.hear("renew");
  // The answer to it goes the same way, ahead of what is said next.
  const message = await opened({ endsInMs: 60_000 });
  using client = await streaming(message);
  expect(client.closed).toBe(false);
});

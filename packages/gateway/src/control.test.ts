/** What the gateway does with each message, and without them. */
import { once } from "node:events";
import { createServer } from "node:net";
import { waitFor } from "@portreeve/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTarget, type TestClient } from "./byte-path/test-sockets.ts";
import type { OpenMessage } from "./messages.ts";
import { freePort, ScriptedControl, startTestGateway, type TestGateway, TOKEN } from "./testing.fixture.ts";

let target: Awaited<ReturnType<typeof startTarget>>;
let control: ScriptedControl;
let tested: TestGateway;

beforeEach(async () => {
  target = await startTarget();
  control = await ScriptedControl.start();
  tested = await startTestGateway(control, { lease: { leaseMs: 600, graceMs: 900 } });
  await control.hear("renew");
});

afterEach(async () => {
  await tested[Symbol.asyncDispose]();
  await control[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function opened(differs: Partial<OpenMessage> = {}): Promise<OpenMessage> {
  const message = control.grant(target, { port: await freePort(), ...differs });
  control.say(message);
  await control.hear("opened", ({ grant }) => grant === message.grant);
  return message;
}

async function streaming(message: OpenMessage): Promise<TestClient> {
  const client = tested.connect(message);
  client.socket.write("x");
  await waitFor(() => client.received.length === 1);
  return client;
}

async function settled(client: TestClient): Promise<"carried" | "refused"> {
  client.socket.write("x");
  await waitFor(() => client.received.length > 0 || client.closed || client.ended);
  return client.received.length > 0 ? "carried" : "refused";
}

test("the gateway shows its token, and says what its journal remembers", async () => {
  expect(control.tokens).toEqual([TOKEN]);
  const { journal } = await control.hear("hello");
  expect(journal).toMatchObject({ system: null, sequence: 0 });
});

test("open is answered when the port stands, and bytes pass", async () => {
  const message = await opened();
  using client = await streaming(message);
  expect(client.received.toString()).toBe("x");
  const { event } = await control.hear("report");
  expect(event).toEqual({ kind: "connected", source: "127.0.0.1" });
});

test("a connection of a source that is not named gets nothing and is reported", async () => {
  const message = await opened({ sources: ["192.0.2.0/24"] });
  using client = tested.connect(message);
  expect(await settled(client)).toBe("refused");
  const { event } = await control.hear("report");
  expect(event).toEqual({ kind: "refused", source: "127.0.0.1", reason: "source" });
});

test("a connection waits until ready has come, and passes then", async () => {
  const message = await opened({ ready: false });
  using client = tested.connect(message);
  client.socket.write("x");
  const later = await opened();
  using _other = await streaming(later);
  expect(client.received.length).toBe(0);
  control.say({ type: "ready", grant: message.grant, fence: 1 });
  await waitFor(() => client.received.length === 1);
});

test("a connection waits until it is known where the grant leads, and no other grant waits for it", async () => {
  const message = await opened({ target: null });
  using client = tested.connect(message);
  client.socket.write("x");
  using _other = await streaming(await opened());
  expect(client.received.length).toBe(0);
  control.say({ ...message, target: { host: target.host, port: target.port } });
  await waitFor(() => client.received.length === 1);
});

test("close is answered when the live stream has stopped, and reported with who asked", async () => {
  const message = await opened();
  using client = await streaming(message);
  control.say({ type: "close", grant: message.grant, fence: 1, reason: "revoked", by: "somebody" });
  expect(await control.hear("closed")).toMatchObject({ grant: message.grant, journaled: true });
  await waitFor(() => client.closed);
  const { closed } = await control.hear("report", (report) => report.closed !== undefined);
  expect(closed).toEqual({ reason: "revoked", by: "somebody" });
  expect(tested.isOpen(message)).toBe(false);
});

test("a message of an older fence changes nothing", async () => {
  const message = await opened({ fence: 5 });
  using client = await streaming(message);
  control.say({ type: "close", grant: message.grant, fence: 4, reason: "revoked" });
  control.say({ ...message, fence: 4, sources: [] });
  using _after = await streaming(await opened());
  expect(client.closed).toBe(false);
  expect(control.heard.some(({ type }) => type === "closed")).toBe(false);
  using again = tested.connect(message);
  expect(await settled(again)).toBe("carried");
});

test("a grant revoked before its open has come is not opened by it", async () => {
  const message = control.grant(target, { port: await freePort() });
  control.say({ type: "close", grant: message.grant, fence: 1, reason: "revoked" });
  control.say(message);
  const { closed } = await control.hear("report", (report) => report.closed !== undefined);
  expect(closed).toEqual({ reason: "revoked" });
  expect(tested.isOpen(message)).toBe(false);
});

test("a port that another program holds is told, and keeps no other grant shut", async () => {
  const taken = createServer().listen({ port: 0, host: "127.0.0.1" });
  await once(taken, "listening");
  const message = control.grant(target, { port: (taken.address() as { port: number }).port });
  control.say(message);
  expect(await control.hear("failed")).toMatchObject({ grant: message.grant });
  using _other = await streaming(await opened());
  await new Promise((resolve) => taken.close(resolve));
  control.say(message);
  await control.hear("opened", ({ grant }) => grant === message.grant);
});

test("without a lease no connection begins, and after the grace time the live ones end", async () => {
  const message = await opened();
  using client = await streaming(message);
  await control.goAway();
  await waitFor(() => tested.gateway.problem === "has not heard from the control plane");
  using late = tested.connect(message);
  expect(await settled(late)).toBe("refused");
  expect(client.closed).toBe(false);
  await waitFor(() => client.closed);
  await waitFor(() => tested.gateway.listeners().length === 0);
});

test("a control plane that stands and renews no lease is as one that is away", async () => {
  const message = await opened();
  using client = await streaming(message);
  control.leases = false;
  await waitFor(() => client.closed);
  await waitFor(() => control.heard.filter(({ type }) => type === "hello").length > 1);
  control.leases = true;
  control.say(message);
  await waitFor(() => tested.isOpen(message));
});

test("a control plane that restarts cuts nobody, and hears what it has not recorded once more", async () => {
  const message = await opened();
  using client = await streaming(message);
  await control.hear("report");
  await control.goAway();
  control.heard.length = 0;
  await control.listen();
  const again = await control.hear("report");
  expect(again).toMatchObject({ report: 1, event: { kind: "connected" } });
  control.say({ type: "recorded", upTo: 1 });
  control.say(message);
  control.say({ type: "listed" });
  client.socket.write("y");
  await waitFor(() => client.received.toString() === "xy");
  await control.goAway();
  control.heard.length = 0;
  await control.listen();
  await control.hear("renew");
  expect(control.reports(message.grant)).toEqual([]);
});

test("a grant that is not named after a reconnect is closed", async () => {
  const [kept, forgotten] = [await opened(), await opened()];
  await control.goAway();
  control.heard.length = 0;
  await control.listen();
  await control.hear("hello");
  control.say(kept);
  control.say({ type: "listed" });
  await waitFor(() => !tested.isOpen(forgotten));
  expect(tested.isOpen(kept)).toBe(true);
  expect(tested.gateway.problem).toBeUndefined();
});

test("a revoked grant stays closed after a restart, whatever the control plane believes", async () => {
  const message = await opened();
  control.say({ type: "close", grant: message.grant, fence: 1, reason: "revoked", by: "somebody" });
  await control.hear("closed");
  await tested.restart();
  control.heard.length = 0;
  await control.hear("hello");
  control.say(message);
  const { closed } = await control.hear("report", (report) => report.closed !== undefined);
  expect(closed).toEqual({ reason: "revoked", by: "somebody" });
  expect(tested.isOpen(message)).toBe(false);
});

test("the journal knows the database and its newest grant after a restart", async () => {
  await opened({ sequence: 41 });
  await tested.restart();
  control.heard.length = 0;
  const { journal } = await control.hear("hello");
  expect(journal).toMatchObject({ system: "test/1", sequence: 41 });
});

test("a restored database ends everything, and its numbers count from then on", async () => {
  const message = await opened({ sequence: 41 });
  using client = await streaming(message);
  control.welcome = { ...control.welcome, system: "test/2", sequence: 7, restored: true };
  await control.goAway();
  control.heard.length = 0;
  await control.listen();
  await waitFor(() => client.closed);
  await control.hear("renew", ({ sequence }) => sequence === 7);
});

test("what is no message ends the connection, and the gateway dials again", async () => {
  control.sayText('{"type":"open","grant":"1"}');
  await waitFor(() => control.heard.filter(({ type }) => type === "hello").length === 2);
});

test("two gateways can't share a state directory", async () => {
  await expect(startTestGateway(control, { stateDir: tested.stateDir })).rejects.toThrow(
    "used by another gateway",
  );
});

/** Access ends on time, whatever else fails: names, database, API, a restored backup. */
import { type GatewayStartOptions, leaseTimes, type RunningGateway } from "@portreeve/gateway";
import { waitFor } from "@portreeve/testing";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Relay } from "../../database/relay.fixture.ts";
import { AddressRules } from "../../sites/index.ts";
import { revokerText } from "./records.ts";
import { type AccessWorld, accessWorld, Client, type TestApi } from "./testing.fixture.ts";

let world: AccessWorld;
const running: AsyncDisposable[] = [];

beforeEach(async () => {
  world = await accessWorld();
});

afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const by = revokerText({ tokenId: "00000000-0000-4000-8000-000000000001", name: "t", address: "192.0.2.1" });

async function start(
  apiOptions: Parameters<AccessWorld["startApi"]>[0] = {},
  gatewayOptions: Partial<GatewayStartOptions> = {},
): Promise<{ api: TestApi; gateway: RunningGateway }> {
  const api = await world.startApi(apiOptions);
  running.push(api);
  const gateway = await world.startGateway(api, gatewayOptions);
  running.push(gateway);
  await waitFor(() => gateway.problem === undefined);
  return { api, gateway };
}

async function streaming(api: TestApi, options: Parameters<AccessWorld["addGrant"]>[0] = {}) {
  const id = await world.addGrant(options);
  await api.control.opened(id, world.gatewayId);
  return { id, client: await Client.open((await world.grant(id)).port) };
}

test("forty accesses of sites whose name server is silent delay no other: opened, revoked and expired on time", async () => {
  const silent = () => new Promise<never>(() => {});
  const { api } = await start({ addresses: new AddressRules({ allowLoopback: true, resolver: silent }) });
  for (let number = 0; number < 40; number++) {
    const site = await world.addSite(`router-${number}.example`);
    api.control.grantChanged(await world.addGrant({ site }), undefined);
  }
  const [expiring, revoked] = [await streaming(api, { seconds: 2 }), await streaming(api)];
  using one = expiring.client;
  using other = revoked.client;
  const asked = performance.now();
  expect(await api.control.close(revoked.id, world.gatewayId, by)).toBe(true);
  await other.closed;
  expect(performance.now() - asked).toBeLessThan(1_000);
  await one.closed;
});

test("a connection to a site known by a name waits for its address, which is looked up once", async () => {
  const asked: string[] = [];
  const { promise, resolve } = Promise.withResolvers<{ address: string }[]>();
  const resolver = (name: string) => {
    asked.push(name);
    return promise;
  };
  const { api } = await start({ addresses: new AddressRules({ allowLoopback: true, resolver }) });
  const site = await world.addSite("router.example");
  const [id, second] = [await world.addGrant({ site }), await world.addGrant({ site })];
  await api.control.opened(id, world.gatewayId);
  await api.control.opened(second, world.gatewayId);
  const waiting = Client.open((await world.grant(id)).port);
  resolve([{ address: "127.0.0.1" }]);
  using client = await waiting;
  expect(await client.echo("hello")).toBe("hello");
  expect(asked).toEqual(["router.example"]);
});

test("an access whose site's name means a refused address leads nowhere", async () => {
  const resolver = async () => [{ address: "169.254.169.254" }];
  const { api } = await start(
    { addresses: new AddressRules({ allowLoopback: true, resolver }) },
    { limits: { readyMs: 300 } },
  );
  const id = await world.addGrant({ site: await world.addSite("router.example") });
  await api.control.opened(id, world.gatewayId);
  using client = await Client.open((await world.grant(id)).port);
  await client.closed;
});

test("with a database that hangs an access ends on time, a revoke closes, and both are recorded later", async () => {
  await using relay = await Relay.open(world.db.connectionString);
  const { api } = await start({ url: relay.url });
  const [expiring, revoked] = [await streaming(api, { seconds: 3 }), await streaming(api)];
  using one = expiring.client;
  using other = revoked.client;
  relay.swallow();
  const asked = performance.now();
  expect(await api.control.close(revoked.id, world.gatewayId, by)).toBe(true);
  await other.closed;
  expect(performance.now() - asked).toBeLessThan(1_000);
  await one.closed;
  await waitFor(
    async () => {
      expect(await world.actions(revoked.id)).toContain("access.closed");
      expect(await world.actions(expiring.id)).toContain("access.expired");
      return true;
    },
    { within: 25_000 },
  );
  expect(await world.grant(revoked.id)).toMatchObject({ revoked_at: expect.any(Date) });
}, 60_000);

test("a gateway that hears nothing lets nobody new in, and ends what is live after the grace time", async () => {
  const { api } = await start({}, { lease: { graceMs: 1_000, leaseMs: 1_500 } });
  const { id, client } = await streaming(api);
  using live = client;
  const { port } = await world.grant(id);
  running.splice(running.indexOf(api), 1);
  await api[Symbol.asyncDispose]();
  await waitFor(
    async () => {
      using late = await Client.open(port);
      return late.isClosed;
    },
    { within: 5_000 },
  );
  await live.closed;
});

test("the lease of the gateway is the one the control plane counts by", () => {
  expect(leaseTimes).toEqual({ leaseMs: 15_000, graceMs: 60_000 });
});

/** As if a backup from before this grant had been restored. */
async function setBackTo(sequence: number): Promise<void> {
  await world.owner(`alter table transient_access alter column sequence restart with ${sequence}`);
  await world.owner(`select nextval('transient_access_sequence_seq')`);
}

test("a database that is set back opens nothing of before, ends it and tells so", async () => {
  const first = await start();
  const old = await streaming(first.api, { seconds: 600 });
  using _client = old.client;
  const later = await streaming(first.api);
  later.client[Symbol.dispose]();
  await first.gateway[Symbol.asyncDispose]();
  await world.db.database.asSystem((trx) =>
    trx.deleteFrom("transient_access").where("id", "=", later.id).execute(),
  );
  await setBackTo(1);
  const gateway = await world.startGateway(first.api);
  running.push(gateway);
  await waitFor(() => gateway.problem === undefined);
  expect(gateway.listeners()).toEqual([]);
  await waitFor(async () => (await world.grant(old.id)).removed_from_gateway_at !== null);
  expect(await world.grant(old.id)).toMatchObject({ revoked_at: expect.any(Date) });
  expect(await world.actions(world.gatewayId)).toEqual(["access.ended_after_restore"]);
  const fresh = await streaming(first.api);
  using going = fresh.client;
  expect(await going.echo("hello")).toBe("hello");
});

test("a gateway that lost its journal opens nothing of before", async () => {
  const first = await start();
  const old = await streaming(first.api);
  using _client = old.client;
  await first.gateway[Symbol.asyncDispose]();
  const gateway = await world.startGateway(first.api, { stateDir: await world.stateDir() });
  running.push(gateway);
  await waitFor(() => gateway.problem === undefined);
  expect(gateway.listeners()).toEqual([]);
  expect(await world.grant(old.id)).toMatchObject({ revoked_at: expect.any(Date) });
});

test("a grant whose revocation a restored backup has forgotten stays closed, and is revoked again", async () => {
  const { api, gateway } = await start();
  const { id, client } = await streaming(api);
  using _client = client;
  expect(await api.control.close(id, world.gatewayId, by)).toBe(true);
  await waitFor(async () => (await world.grant(id)).removed_from_gateway_at !== null);
  await world.change(id, { revoked_at: sql`null`, removed_from_gateway_at: sql`null` });
  await world.lease(id);
  api.control.grantChanged(id, undefined);
  await waitFor(async () => (await world.grant(id)).removed_from_gateway_at !== null);
  expect(await world.grant(id)).toMatchObject({ revoked_at: expect.any(Date) });
  expect(gateway.listeners()).toEqual([]);
});

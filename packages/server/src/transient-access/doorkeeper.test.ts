import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { policyInput } from "@portreeve/api-schema";
import { waitFor } from "@portreeve/testing";
import { sql } from "kysely";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Trx } from "../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../database/testing.ts";
import { Gateway } from "../gateway/index.ts";
import { contentOf, insertPolicy } from "../policies/store.ts";
import { AddressRules, SiteService } from "../sites/index.ts";
import { insertSites } from "../sites/testing.fixture.ts";
import { Keyring, Vault } from "../vault/index.ts";
import { Doorkeeper } from "./doorkeeper.ts";

const log = pino({ level: "silent" });
const customerId = randomUUID();

let db: TestDatabase;
let router: Server;
let gateway: Gateway;
let doorkeeper: Doorkeeper;
let siteId: string;

beforeEach(async () => {
  db = await createTestDatabase();
  router = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => router.listen(0, "127.0.0.1", resolve));
  siteId = await db.database.asSystem(seedSite);
  gateway = new Gateway({ listenAddress: "127.0.0.1", log });
  const addresses = new AddressRules({ allowLoopback: true });
  const vault = new Vault(new Keyring(new Map([[1, Buffer.alloc(32)]])));
  const sites = new SiteService({ vault, addresses, parts: [] });
  doorkeeper = new Doorkeeper({
    database: db.database,
    gateway,
    sites,
    addresses,
    localAddress: undefined,
    log,
  });
  doorkeeper.start();
});

afterEach(async () => {
  await doorkeeper.stop();
  await gateway[Symbol.asyncDispose]();
  router.close();
  await db.drop();
});

test("an open grant has a listener, one that is revoked has none and is marked so", async () => {
  const id = await addGrant({ committed: true });
  await doorkeeper.opened(id);
  expect(await echo(id, "hello")).toBe("hello");
  await change(id, { revoked_at: sql`now()` });
  await waitFor(async () => (await grant(id)).removed_from_gateway_at);
  expect(gateway.listeners()).toEqual([]);
});

test("a revocation is answered when its listener is gone", async () => {
  const id = await addGrant({ committed: true });
  await doorkeeper.opened(id);
  await db.database.asSystem((trx) =>
    trx.updateTable("transient_access").set({ revoked_at: sql<Date>`now()` }).where("id", "=", id).execute(),
  );
  await doorkeeper.closed(id);
  expect(gateway.listeners()).toEqual([]);
  expect((await grant(id)).removed_from_gateway_at).not.toBeNull();
});

test("a grant that expires is closed at that moment without anybody waking the doorkeeper", async () => {
  const id = await addGrant({ committed: true, seconds: 1 });
  await doorkeeper.opened(id);
  await (await dialAndTalk(id)).ended;
  await waitFor(async () => (await grant(id)).removed_from_gateway_at);
});

test("a connection waits for the router's user and passes when it is there", async () => {
  const id = await addGrant({ committed: false });
  await doorkeeper.opened(id);
  let reached = 0;
  router.on("connection", () => reached++);
  const answer = echo(id, "hello");
  await waitFor(() => gateway.listeners()[0]?.connections === 1);
  // One that came later and need not wait has been there and back: the first had its chance.
  const ready = await addGrant({ committed: true });
  await doorkeeper.opened(ready);
  expect(await echo(ready, "later")).toBe("later");
  expect(reached).toBe(1);
  expect((await grant(id)).authorized_at).toBeNull();
  await change(id, { committed_at: sql`now()` });
  expect(await answer).toBe("hello");
  await waitFor(async () => (await grant(id)).authorized_at);
});

test("a grant that ends while a connection waits lets nothing pass", async () => {
  const id = await addGrant({ committed: false });
  await doorkeeper.opened(id);
  const answer = echo(id, "hello");
  await change(id, { revoked_at: sql`now()` });
  expect(await answer).toBe("");
});

test("the listener of a site that was forgotten is closed", async () => {
  const id = await addGrant({ committed: true });
  await doorkeeper.opened(id);
  await db.database.asSystem((trx) => trx.deleteFrom("sites").where("id", "=", siteId).execute());
  doorkeeper.wake();
  await waitFor(() => gateway.listeners().length === 0);
});

test("a site that is being deleted has no open door", async () => {
  const id = await addGrant({ committed: true });
  await doorkeeper.opened(id);
  await db.database.asSystem((trx) =>
    trx.updateTable("sites").set({ status: "deleting" }).where("id", "=", siteId).execute(),
  );
  doorkeeper.wake();
  await waitFor(() => gateway.listeners().length === 0);
});

test("without the database no new connection passes, and what expires meanwhile is cut on time", async () => {
  const id = await addGrant({ committed: true, seconds: 2 });
  await doorkeeper.opened(id);
  const { ended } = await dialAndTalk(id);
  await db.database.close();
  expect(await echo(id, "hello")).toBe("");
  await ended;
  await waitFor(() => gateway.listeners().length === 0);
});

test("one port that can't be opened does not keep the others shut", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const blocked = await addGrant({ committed: true, port: (taken.address() as { port: number }).port });
  const id = await addGrant({ committed: true });
  await doorkeeper.opened(id);
  expect(await echo(id, "hello")).toBe("hello");
  expect(await grant(blocked)).toMatchObject({ removed_from_gateway_at: null });
  taken.close();
});

function seedSite(trx: Trx): Promise<string> {
  const closed = (port: number) => ({ enabled: false, port, networks: [] });
  const input = policyInput.parse({
    name: "test",
    winbox: closed(8291),
    ssh: { enabled: true, port: (router.address() as { port: number }).port, networks: [] },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: [] },
    api_ssl: closed(8729),
  });
  return (async () => {
    await trx.insertInto("customers").values({ id: customerId, name: "test" }).execute();
    const named = { customer_id: customerId, name: input.name, slug: randomUUID(), is_default: true };
    const policy = await insertPolicy(trx, named, contentOf(input));
    const under = { policy_id: policy.id, policy_revision_id: policy.revision_id };
    const connection = { address: "127.0.0.1" };
    const [id = ""] = await insertSites(trx, [{ customer_id: customerId, connection, policy: under }]);
    return id;
  })();
}

async function addGrant({
  committed,
  seconds = 600,
  port,
}: {
  committed: boolean;
  seconds?: number;
  port?: number;
}): Promise<string> {
  const id = randomUUID();
  await db.database.asSystem(async (trx) => {
    const token = await trx
      .insertInto("api_tokens")
      .values({ customer_id: customerId, name: "test", token_hash: Buffer.from(id), scopes: [] })
      .returning("id")
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("transient_access")
      .values({
        id,
        customer_id: customerId,
        site_id: siteId,
        token_id: token.id,
        type: "ssh",
        username: id,
        password: Buffer.alloc(0),
        port: port ?? (await freePort()),
        full_access: true,
        allow_rfc1918: false,
        allow_only_ip: "127.0.0.1",
        expires_at: sql<Date>`now() + make_interval(secs => ${seconds})`,
        committed_at: committed ? sql<Date>`now()` : null,
      })
      .execute();
  });
  return id;
}

async function change(id: string, values: Record<string, ReturnType<typeof sql>>): Promise<void> {
  await db.database.asSystem((trx) =>
    trx.updateTable("transient_access").set(values).where("id", "=", id).execute(),
  );
  doorkeeper.wake();
}

function grant(id: string) {
  return db.database.asSystem((trx) =>
    trx.selectFrom("transient_access").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
  );
}

async function dial(id: string) {
  const port = gateway.listeners().find((listener) => listener.id === id)?.port ?? 0;
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** A connection that carries bytes already: one that says nothing is cut after a while, whatever its grant does. */
async function dialAndTalk(id: string): Promise<{ ended: Promise<unknown> }> {
  const socket = await dial(id);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.write("anybody there?");
  await once(socket, "data");
  return { ended };
}

/** What comes back through the gateway; empty when it was closed instead. */
async function echo(id: string, text: string): Promise<string> {
  const socket = await dial(id);
  socket.write(text);
  const answer = await new Promise<string>((resolve) => {
    socket.once("data", (data) => resolve(data.toString()));
    socket.once("close", () => resolve(""));
  });
  socket.destroy();
  return answer;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

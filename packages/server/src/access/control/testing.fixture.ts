/** Control plane and gateways as they are in production, on a database of their own; sites and grants put in by SQL. */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyInput } from "@portreeve/api-schema";
import { type GatewayStartOptions, type RunningGateway, startGateway } from "@portreeve/gateway";
import { sql } from "kysely";
import { pino } from "pino";
import { TaskRunner } from "../../background/index.ts";
import { openClient } from "../../database/connection.ts";
import { Database, Notifications, type Trx } from "../../database/index.ts";
import { createTestDatabase, type TestDatabase } from "../../database/testing.ts";
import { contentOf, insertPolicy } from "../../policies/store.ts";
import { AddressRules, SiteService } from "../../sites/index.ts";
import { insertSites } from "../../sites/testing.fixture.ts";
import { hashToken } from "../../tokens/index.ts";
import { Keyring, Vault } from "../../vault/index.ts";
import { ACCESS_CHANNEL } from "../store.ts";
import { GATEWAY_CHANNEL, GatewayControl } from "./control.ts";
import { listenForGateway } from "./endpoint.ts";
import { gatewayTasks } from "./tasks.ts";

const log = pino({ level: "silent" });
const customerId = randomUUID();

/** One API process: its own pool, its own notifications, its own socket for gateways. */
export interface TestApi extends AsyncDisposable {
  readonly control: GatewayControl;
  readonly database: Database;
  readonly path: string;
}

export interface AccessWorld extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly siteId: string;
  readonly gatewayId: string;
  /** An API process on this database, or on another address of it. */
  startApi(options?: Partial<ApiOptions>): Promise<TestApi>;
  startGateway(api: TestApi, differs?: Partial<GatewayStartOptions>): Promise<RunningGateway>;
  addSite(address: string): Promise<string>;
  addGrant(options?: {
    committed?: boolean;
    seconds?: number;
    site?: string;
    port?: number;
  }): Promise<string>;
  /** Change a grant without a word to anybody. */
  change(id: string, values: Record<string, ReturnType<typeof sql>>): Promise<void>;
  grant(id: string): Promise<{
    port: number;
    revoked_at: Date | null;
    authorized_at: Date | null;
    removed_from_gateway_at: Date | null;
  }>;
  actions(id: string): Promise<string[]>;
  /** Lease it anew, as a restored backup would have it. */
  lease(id: string): Promise<void>;
  /** SQL as the owner of the tables. */
  owner(text: string): Promise<void>;
  stateDir(): Promise<string>;
}

export async function accessWorld(): Promise<AccessWorld> {
  const world = new AsyncDisposableStack();
  const db = world.use(await createTestDatabase());
  const router = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  router.listen(0, "127.0.0.1");
  await once(router, "listening");
  world.defer(() => void router.close());
  const token = randomBytes(24).toString("hex");
  const gatewayId = randomUUID();
  const siteId = await db.database.asSystem(async (trx) => {
    await trx
      .insertInto("customers")
      .values({ id: customerId, name: "test", operates_installation: true })
      .execute();
    const values = { entry_point: "localhost", first_port: 1, last_port: 65_535 };
    await trx
      .insertInto("gateways")
      .values({ id: gatewayId, name: "test", token_hash: hashToken(token), ...values })
      .execute();
    return addSite(trx, router, "127.0.0.1");
  });
  const directory = async () => {
    const path = await mkdtemp(join(tmpdir(), "portreeve-access-"));
    world.defer(() => rm(path, { recursive: true, force: true }));
    return path;
  };
  const stateDir = await directory();
  return {
    db,
    siteId,
    gatewayId,
    stateDir: directory,
    startApi: async (options) => startApi(db, { path: join(await directory(), "control.sock"), ...options }),
    startGateway: (api, differs = {}) =>
      startGateway({
        control: { path: api.path },
        token,
        listenAddress: "127.0.0.1",
        stateDir,
        log,
        ...differs,
      }),
    addSite: (address) => db.database.asSystem((trx) => addSite(trx, router, address)),
    addGrant: (options) => addGrant(db, { gatewayId, site: siteId, ...options }),
    change: (id, values) =>
      db.database.asSystem(async (trx) => {
        await trx.updateTable("transient_access").set(values).where("id", "=", id).execute();
      }),
    grant: (id) =>
      db.database.asSystem((trx) =>
        trx.selectFrom("transient_access").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
      ),
    actions: (id) =>
      db.database.asSystem(async (trx) => {
        const rows = await trx
          .selectFrom("audit_events")
          .select("action")
          .where("subject_id", "=", id)
          .orderBy("id")
          .execute();
        return rows.map(({ action }) => action);
      }),
    lease: (id) =>
      db.database.asSystem(async (trx) => {
        const lease = { grant_id: id, customer_id: customerId, gateway_id: gatewayId, fence: "0" };
        await trx
          .insertInto("grant_leases")
          .values({ ...lease, until: sql<Date>`now()` })
          .execute();
      }),
    async owner(text) {
      const client = await openClient(db.connectionString);
      try {
        await client.query(text);
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: () => world.disposeAsync(),
  };
}

interface ApiOptions {
  path: string;
  url?: string;
  addresses?: AddressRules;
}

async function startApi(db: TestDatabase, options: ApiOptions): Promise<TestApi> {
  const { path, url = db.connectionString, addresses = new AddressRules({ allowLoopback: true }) } = options;
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await Database.open({ connection: url, log }));
  const vault = new Vault(new Keyring(new Map([[1, Buffer.alloc(32)]])));
  const sites = new SiteService({ vault, addresses, parts: [] });
  const control = starting.use(
    new GatewayControl({ database, sites, addresses, localAddress: undefined, log }),
  );
  for (const task of gatewayTasks(control)) {
    const runner = new TaskRunner(task, { log });
    runner.start();
    starting.defer(() => runner.stop());
  }
  starting.use(await listenForGateway(path, { control, database, log }));
  starting.use(
    await Notifications.open({
      connection: db.connectionString,
      channels: [ACCESS_CHANNEL, GATEWAY_CHANNEL],
      onNotification: (channel, payload) => {
        const [grantId = "", origin] = payload.split(" ");
        if (channel === GATEWAY_CHANNEL) control.heard(payload);
        else control.grantChanged(grantId, origin);
      },
      onReconnect: () => control.compare(),
      log,
    }),
  );
  const running = starting.move();
  return { control, database, path, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function addSite(trx: Trx, router: Server, address: string): Promise<string> {
  const closed = (port: number) => ({ enabled: false, port, networks: [] });
  const input = policyInput.parse({
    name: "test",
    winbox: closed(8291),
    ssh: { enabled: true, port: (router.address() as AddressInfo).port, networks: [] },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: [] },
    api_ssl: closed(8729),
  });
  const named = { customer_id: customerId, name: input.name, slug: randomUUID(), is_default: false };
  const policy = await insertPolicy(trx, named, contentOf(input));
  const under = { policy_id: policy.id, policy_revision_id: policy.revision_id };
  const [id = ""] = await insertSites(trx, [
    { customer_id: customerId, connection: { address }, policy: under },
  ]);
  return id;
}

interface NewGrant {
  gatewayId: string;
  site: string;
  committed?: boolean;
  seconds?: number;
  port?: number;
}

async function addGrant(
  db: TestDatabase,
  { gatewayId, site, committed = true, seconds = 600, port }: NewGrant,
): Promise<string> {
  const id = randomUUID();
  const free = port ?? (await freePort());
  await db.database.asSystem(async (trx) => {
    const token = await trx
      .insertInto("api_tokens")
      .values({ customer_id: customerId, name: "test", token_hash: Buffer.from(id), scopes: [] })
      .returning("id")
      .executeTakeFirstOrThrow();
    const expires = sql<Date>`now() + make_interval(secs => ${seconds})`;
    await trx
      .insertInto("transient_access")
      .values({
        id,
        customer_id: customerId,
        site_id: site,
        token_id: token.id,
        type: "ssh",
        username: id,
        password: Buffer.alloc(0),
        gateway_id: gatewayId,
        port: free,
        full_access: true,
        allow_rfc1918: false,
        allow_only_ip: "127.0.0.1",
        expires_at: expires,
        committed_at: committed ? sql<Date>`now()` : null,
      })
      .execute();
    await trx
      .insertInto("grant_leases")
      .values({ grant_id: id, customer_id: customerId, gateway_id: gatewayId, fence: "0", until: expires })
      .execute();
  });
  return id;
}

/** A client of a grant's port. */
export class Client implements Disposable {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  isClosed = false;
  #received = "";

  private constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("error", () => {});
    this.socket.on("data", (data) => {
      this.#received += data.toString();
    });
    this.closed = new Promise((resolve) =>
      this.socket.once("close", () => {
        this.isClosed = true;
        resolve();
      }),
    );
  }

  /** @returns a client that has got an answer through the gateway; or what it is, closed */
  static async open(port: number): Promise<Client> {
    const client = new Client(port);
    await client.echo("x");
    return client;
  }

  /** What comes back; empty when it was closed instead. */
  async echo(text: string): Promise<string> {
    this.#received = "";
    this.socket.write(text);
    while (this.#received.length < text.length && !this.isClosed)
      await new Promise((resolve) => setTimeout(resolve, 2));
    return this.#received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** A server in this process: real PostgreSQL, real sockets, its own addresses. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, loadConfig, type RunningServer, startServer } from "@portreeve/server";
import { openClient } from "../../packages/server/src/database/connection.ts";
import { createTestDatabase } from "../../packages/server/src/database/testing.ts";
import { ApiClient } from "./api.ts";
import { LoopbackNet } from "./network.ts";

export interface TestServer extends AsyncDisposable {
  readonly api: ApiClient;
  /** Addresses of this test file; routers live there. */
  readonly net: LoopbackNet;
  /** Where the gateway's ports open. */
  readonly gatewayAddress: string;
  /** The source address routers see us come from. */
  readonly managementAddress: string;
  /** SQL as the owner of the tables, who is bound by no row-level security: for what only the clock could do. */
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Every row of the database as text. */
  dump(): Promise<string>;
  /** What it has logged so far, one JSON object per line. */
  log(): string;
  /** Stop it and start it again on the same database, with the same settings. */
  restart(): Promise<void>;
}

export interface TestServerOptions {
  /** Settings on top of ours. */
  env?: Record<string, string>;
}

/** Ports of transient access in tests: below the ephemeral range, so that no outgoing connection holds one. */
export const GATEWAY_PORTS = "20000-29999";

export async function startTestServer({ env = {} }: TestServerOptions = {}): Promise<TestServer> {
  await using starting = new AsyncDisposableStack();
  const net = new LoopbackNet();
  const gatewayAddress = net.address();
  const managementAddress = net.address();
  const test = starting.use(await createTestDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), "portreeve-scenario-"));
  starting.defer(() => rm(dataDir, { recursive: true, force: true }));
  const owner = await openClient(test.connectionString);
  starting.defer(() => owner.end());
  const token = `scenario-${randomBytes(24).toString("hex")}`;
  const config = loadConfig({
    PORTREEVE_HTTP: "127.0.0.1:0",
    PORTREEVE_DATA_DIR: dataDir,
    PORTREEVE_STATE_DIR: join(dataDir, "state"),
    DATABASE_URL: test.connectionString,
    PORTREEVE_BOOTSTRAP_TOKEN: token,
    PORTREEVE_GATEWAY: gatewayAddress,
    PORTREEVE_GATEWAY_PORTS: GATEWAY_PORTS,
    PORTREEVE_MANAGEMENT_ADDRESS: managementAddress,
    PORTREEVE_ALLOW_LOOPBACK_SITES: "true",
    PORTREEVE_LOG_LEVEL: "trace",
    PORTREEVE_EXPOSURE_HOURS: "0",
    ...env,
  });
  const lines: string[] = [];
  const log = createLogger(config.logLevel, { write: (line) => void lines.push(line) });
  let running: RunningServer = await startServer(config, log);
  starting.defer(() => running[Symbol.asyncDispose]());
  let api = new ApiClient(running.url ?? "", token);
  const ending = starting.move();
  return {
    get api() {
      return api;
    },
    net,
    gatewayAddress,
    managementAddress,
    sql: async (text, values = []) => (await owner.query(text, [...values])).rows,
    dump: () => test.dump(),
    log: () => lines.join(""),
    async restart() {
      await running[Symbol.asyncDispose]();
      running = await startServer(config, log);
      api = new ApiClient(running.url ?? "", token);
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/**
 * Another customer with a token of every scope the given one has, and a default policy copied from the first
 * customer's: no request of the API makes a customer.
 */
export async function addCustomer(server: Pick<TestServer, "sql" | "api">): Promise<ApiClient> {
  const [customerId, tokenId] = [randomUUID(), randomUUID()];
  const token = `other-${randomBytes(24).toString("hex")}`;
  await server.sql("insert into customers (id, name) values ($1, 'other')", [customerId]);
  await server.sql(
    `insert into api_tokens (id, customer_id, name, token_hash, scopes)
     select $1, $2, 'other', sha256($3::text::bytea), scopes from api_tokens order by created_at limit 1`,
    [tokenId, customerId, token],
  );
  const [policyId, revisionId] = [randomUUID(), randomUUID()];
  // One statement: a policy and its first revision point at each other.
  await server.sql(
    `with policy as (
       insert into policies (id, customer_id, name, slug, is_default, revision_id)
       select $2, $1, name, slug || '-other', true, $3 from policies where is_default limit 1)
     insert into policy_revisions (id, customer_id, policy_id, number, services, trusted_networks)
     select $3, $1, $2, 1, services, trusted_networks
       from policies join policy_revisions on policy_revisions.id = policies.revision_id where is_default limit 1`,
    [customerId, policyId, revisionId],
  );
  return server.api.as(token);
}

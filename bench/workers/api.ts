/** The server's HTTP API with the policies alone, and the same SELECT on a bare route, each in a process of its own. */
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import pg from "pg";
import { type Connection, Database } from "../../packages/server/src/database/index.ts";
import { buildApp } from "../../packages/server/src/http/index.ts";
import { createLogger } from "../../packages/server/src/kernel/log.ts";
import { PolicyService, policyRoutes, setCurrentRevision } from "../../packages/server/src/policies/index.ts";
import { RolloutService } from "../../packages/server/src/rollouts/index.ts";
import { AddressRules, SiteService } from "../../packages/server/src/sites/index.ts";
import { Authenticator, ensureBootstrap } from "../../packages/server/src/tokens/index.ts";
import { Keyring, Vault } from "../../packages/server/src/vault/index.ts";
import { POLICIES } from "../policies.ts";
import { serveTasks } from "../worker.ts";

/** As many as `portreeve serve` opens. */
const CONNECTIONS = 20;
const listenOn = { host: "127.0.0.1", port: 0 };

serveTasks({
  /** As `portreeve serve` builds it, request log included, without the limit of requests per minute. @returns the port */
  async portreeve({ connection, token }: { connection: Connection; token: string }): Promise<number> {
    const log = createLogger("info");
    const database = await Database.open({ connection, maxConnections: CONNECTIONS, log });
    const vault = new Vault(new Keyring(new Map([[1, Buffer.alloc(32, 1)]])));
    const addresses = new AddressRules({ allowLoopback: false });
    const sites = new SiteService({ vault, addresses, parts: [] });
    const rollouts = new RolloutService({ sites, setCurrentRevision });
    const policies = new PolicyService({ rollouts, managementAddress: "100.64.0.1" });
    await ensureBootstrap(database, {
      token,
      onFirstCustomer: (trx, customerId) => policies.createDefault(trx, customerId),
    });
    const authenticator = new Authenticator(database, log);
    const app = buildApp({
      log,
      database,
      vault,
      authenticate: (text) => authenticator.authenticate(text),
      routes: policyRoutes(policies),
      requestsPerMinute: Number.MAX_SAFE_INTEGER,
    });
    await app.listen(listenOn);
    return (app.server.address() as AddressInfo).port;
  },

  /** The library and the SELECT, nothing else: anybody may ask, and the row is the answer. @returns the port */
  async bare({ connection }: { connection: pg.PoolConfig }): Promise<number> {
    const pool = new pg.Pool({ ...connection, max: CONNECTIONS });
    const app = Fastify();
    const select = `select policies.*, services, trusted_networks, custom_input_rules, brute_force_protection, drift,
                           management_transport, rollouts.id as rollout_id, rollouts.state as rollout_state
                      from policies join policy_revisions on policy_revisions.id = policies.revision_id
                           left join rollouts on rollouts.policy_id = policies.id and rollouts.ended_at is null
                     order by policies.created_at, policies.id`;
    app.get(POLICIES, async () => (await pool.query(select)).rows);
    await app.listen(listenOn);
    return (app.server.address() as AddressInfo).port;
  },
});

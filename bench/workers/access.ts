/** API and gateway as `portreeve serve` runs them, without a reconciler and without routers; and who opens and revokes. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, loadConfig, startServer } from "@portreeve/server";
import pg from "pg";
import { quantile } from "../harness.ts";
import { serveTasks } from "../worker.ts";

const SITES = 100;
/** Requests under way at once. */
const CONCURRENCY = 16;

serveTasks({
  /** @returns the API's address */
  async serve({ databaseUrl, token }: { databaseUrl: string; token: string }): Promise<string> {
    const dataDir = await mkdtemp(join(tmpdir(), "portreeve-bench-"));
    process.once("disconnect", () => void rm(dataDir, { recursive: true, force: true }));
    const config = loadConfig({
      PORTREEVE_HTTP: "127.0.0.1:0",
      PORTREEVE_DATA_DIR: dataDir,
      PORTREEVE_STATE_DIR: join(dataDir, "state"),
      DATABASE_URL: databaseUrl,
      PORTREEVE_BOOTSTRAP_TOKEN: token,
      PORTREEVE_GATEWAY_PORTS: "20000-29999",
      PORTREEVE_ROLES: "api,gateway",
    });
    return (await startServer(config, createLogger("warn"))).url ?? "";
  },

  /** Sites that count as adopted. @returns their ids */
  async sites({ databaseUrl }: { databaseUrl: string }): Promise<string[]> {
    await using client = await open(databaseUrl);
    const { rows } = await client.query(
      `with made as (insert into sites (customer_id, name)
         select customer_id, 'site ' || number from policies, generate_series(1, $1) as number where is_default
         returning id, customer_id),
       connected as (insert into site_connections (customer_id, site_id, address, api_port, management_address)
         select customer_id, id, '192.0.2.1', 8728, '192.0.2.2' from made),
       synced as (insert into site_sync (customer_id, site_id) select customer_id, id from made),
       certified as (insert into site_certificates (customer_id, site_id) select customer_id, id from made),
       under as (insert into site_policies (customer_id, site_id, policy_id, policy_revision_id)
         select made.customer_id, made.id, policies.id, policies.revision_id from made, policies where is_default)
       select id from made`,
      [SITES],
    );
    return rows.map(({ id }) => id);
  },

  /** Open accesses, by SQL; the gateway is told of them as of others. @returns when all their ports stand */
  async fill({ databaseUrl, count }: { databaseUrl: string; count: number }): Promise<void> {
    await using client = await open(databaseUrl);
    const { rows } = await client.query(
      `with made as (insert into transient_access (customer_id, site_id, token_id, type, username, password, gateway_id,
             port, full_access, allow_rfc1918, allow_only_ip, expires_at, committed_at)
         select sites.customer_id, sites.id, api_tokens.id, 'ssh', gen_random_uuid()::text, '', gateways.id,
                20000 + number, true, false, '127.0.0.1', now() + interval '2 hours', now()
           from generate_series(0, $1 - 1) as number, api_tokens, gateways,
                lateral (select * from sites offset number % $2 limit 1) as sites
         returning id, customer_id, gateway_id, expires_at)
       insert into grant_leases (grant_id, customer_id, gateway_id, fence, until)
       select id, customer_id, gateway_id, 0, expires_at from made returning grant_id`,
      [count, SITES],
    );
    for (const { grant_id } of rows)
      await client.query("select pg_notify('portreeve_access', $1)", [grant_id]);
  },

  /** Open an access and revoke it, over and over. */
  async load({ url, token, sites, milliseconds }: LoadInput): Promise<Record<string, number>> {
    const opening: number[] = [];
    const revoking: number[] = [];
    const begun = performance.now();
    const one = async () => {
      while (performance.now() - begun < milliseconds) {
        const path = `/v1/control-plane/${sites[Math.floor(Math.random() * sites.length)]}/transient-access`;
        const { id } = await timed(opening, () => ask(url + path, token, "POST", INPUT));
        await timed(revoking, () => ask(`${url}${path}/${id}`, token, "DELETE"));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, one));
    const seconds = (performance.now() - begun) / 1000;
    const p99 = (all: number[]) =>
      quantile(
        all.toSorted((a, b) => a - b),
        0.99,
      );
    return { perSecond: opening.length / seconds, openP99: p99(opening), revokeP99: p99(revoking) };
  },
});

interface LoadInput {
  url: string;
  token: string;
  sites: readonly string[];
  milliseconds: number;
}

const INPUT = {
  expire_after_minutes: 60,
  type: "ssh",
  full_access: false,
  allow_rfc1918: false,
  reason: randomUUID(),
};

async function ask(url: string, token: string, method: string, body?: unknown): Promise<{ id: string }> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (response.status >= 300) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text === "" ? { id: "" } : JSON.parse(text);
}

async function timed<T>(times: number[], work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  times.push(performance.now() - begun);
  return result;
}

async function open(connectionString: string) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

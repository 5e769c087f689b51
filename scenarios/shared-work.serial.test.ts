/**
 * Several reconciler processes on one PostgreSQL, each a process of its own, and a fleet of routers in another one.
 * `npm test` runs it with 100 routers, `npm run chaos` with 1,000.
 */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Policy } from "@portreeve/api-schema";
import { waitFor } from "@portreeve/testing";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClient } from "../packages/server/src/database/connection.ts";
import { createTestDatabase } from "../packages/server/src/database/testing.ts";
import { expectStatus } from "./harness/api.ts";
import { inChaos } from "./harness/chaos.ts";
import { EmulatedFleet, type RouterSeen } from "./harness/emulated-fleet.ts";
import { policyOf } from "./harness/policies.ts";
import { ReconcilerProcess } from "./harness/reconciler-process.ts";
import { ADMIN } from "./harness/routers.ts";
import { startTestServer, type TestServer } from "./harness/server.ts";

const SITES = inChaos({ short: 100, long: 1_000 });
/** Twenty checks a second, or 33 with 1,000 routers: a busy machine of two cores keeps up with them. */
const PERIOD_MS = Math.min(30_000, Math.max(5_000, SITES * 50));
/** Adoption of one router on a busy machine, milliseconds. */
const ADOPTION_MS = 800;
/** Others have taken over a process's sites and checked each of them, after it died or froze. */
const TAKEN_OVER_MS = 10_000;

const stack = new AsyncDisposableStack();
let sql: pg.Client;
let fleet: EmulatedFleet;
let env: Record<string, string>;
const processes: ReconcilerProcess[] = [];

beforeAll(
  async () => {
    const database = stack.use(await createTestDatabase());
    sql = await openClient(database.connectionString);
    stack.defer(() => sql.end());
    const directory = await mkdtemp(join(tmpdir(), "portreeve-shared-"));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    env = {
      DATABASE_URL: database.connectionString,
      PORTREEVE_MASTER_KEY_FILE: join(directory, "master.key"),
      PORTREEVE_DATA_DIR: directory,
      PORTREEVE_RECONCILE_SECONDS: String(PERIOD_MS / 1_000),
      PORTREEVE_EXPOSURE_HOURS: "0",
      PORTREEVE_ALLOW_LOOPBACK_SITES: "true",
      PORTREEVE_LOG_LEVEL: "warn",
    };
    const server = stack.use(await startTestServer({ env: { ...env, PORTREEVE_ROLES: "api" } }));
    env.PORTREEVE_MANAGEMENT_ADDRESS = server.managementAddress;
    fleet = stack.use(await EmulatedFleet.start(SITES, `127.${randomInt(64, 250)}.0.1`, ADMIN));
    await addSites(server);
    for (let i = 0; i < 3; i++) startProcess();
    const begun = Date.now();
    await waitFor(allInSync, { within: 20_000 + SITES * ADOPTION_MS, what: "the adoption of all" }).catch(
      async (cause) => {
        const states = await rows(
          "select sync_state, sync_reason, count(*)::int from site_sync group by 1, 2",
        );
        throw new Error(`${cause.message}: ${JSON.stringify(states)}`, { cause });
      },
    );
    console.log(`adopted ${SITES} routers in ${Date.now() - begun} ms`);
    await server[Symbol.asyncDispose]();
    await watchWrites();
  },
  60_000 + SITES * ADOPTION_MS,
);
afterAll(() => stack.disposeAsync(), 60_000);

async function addSites(server: TestServer): Promise<void> {
  const { api } = server;
  const policies: Policy[] = expectStatus(await api.get("/v1/control-plane/policies"), 200);
  const path = `/v1/control-plane/policies/${policies.find((policy) => policy.default)?.id}`;
  expectStatus(await api.put(path, policyOf()), 200);
  const addresses = (await fleet.seen()).map(({ address }) => address);
  for (let first = 0; first < SITES; first += 20) {
    const adding = addresses.slice(first, first + 20).map(async (address) => {
      const site = { name: `site ${address}`, address, api_port: 8728, ...ADMIN };
      expectStatus(await api.post("/v1/sites", site), 201);
    });
    await Promise.all(adding);
  }
}

/** Another process. */
function startProcess(): ReconcilerProcess {
  const joined = stack.use(new ReconcilerProcess(env));
  processes.push(joined);
  return joined;
}

async function rows<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await sql.query<Row>(text, values)).rows;
}

async function allInSync(): Promise<boolean> {
  const [row] = await rows<{ count: number }>(
    "select count(*)::int from site_sync where sync_state = 'in_sync' and observed_generation = generation",
  );
  return row?.count === SITES;
}

/** The sites each process holds, by its pid. */
async function shares(): Promise<Map<number, string[]>> {
  const held = await rows<{ pid: number; addresses: string[] }>(
    `select pid, array_agg(site_connections.address) as addresses
       from members join bucket_leases on holder = members.id join sites using (bucket)
       join site_connections on site_id = sites.id group by pid`,
  );
  return new Map(held.map(({ pid, addresses }) => [pid, addresses]));
}

/** Every site is held by one of so many processes, each of which has a fair part. */
async function areSpreadOver(count: number): Promise<boolean> {
  const counts = [...(await shares()).values()].map(({ length }) => length);
  const isWhole = counts.reduce((sum, part) => sum + part, 0) === SITES;
  return isWhole && counts.length === count && counts.every((part) => part > SITES / count / 3);
}

async function spreadOver(count: number): Promise<void> {
  const within = 40_000;
  await waitFor(() => areSpreadOver(count), { within, what: `the work to be spread over ${count}` }).catch(
    async (cause) => {
      const counts = [...(await shares())].map(([pid, { length }]) => `${pid}: ${length}`);
      throw new Error(`${cause.message}; there are ${counts.join(", ")}`, { cause });
    },
  );
}

async function seenOf(addresses: readonly string[]): Promise<RouterSeen[]> {
  const wanted = new Set(addresses);
  return (await fleet.seen()).filter(({ address }) => wanted.has(address));
}

/** Resolves when each of these routers was checked after `since`; the milliseconds it took. */
async function checkedAgain(addresses: readonly string[], since: number, within: number): Promise<number> {
  const isAgain = ({ checks }: RouterSeen) => checks.some((at) => at > since);
  const all = async () => {
    await delay(200); // each look is one of every router
    return (await seenOf(addresses)).every(isAgain);
  };
  await waitFor(all, { within, what: `${addresses.length} sites to be checked again` });
  return Date.now() - since;
}

/** Rows written so far, other than heartbeats. */
async function rowsWritten(): Promise<number> {
  const [row] = await rows<{ written: number }>(
    `select sum(n_tup_ins + n_tup_upd + n_tup_del)::int as written
       from pg_stat_user_tables where relname <> 'members'`,
  );
  return row?.written ?? 0;
}

/** From now on every row that a process writes about a site whose lease it does not hold stands in `unowned_writes`. */
async function watchWrites(): Promise<void> {
  await sql.query(`
    create table unowned_writes (application_name text, written text);
    create function note_write() returns trigger language plpgsql security definer as $$
    declare
      writer text := current_setting('application_name');
      of_site uuid := coalesce(to_jsonb(new)->>'site_id', to_jsonb(new)->>'id');
    begin
      if writer like 'portreeve %' and not exists (
        select from public.members join public.bucket_leases on holder = members.id
         where application_name = writer and bucket = public.portreeve_bucket(of_site)) then
        insert into public.unowned_writes values (writer, tg_table_name);
      end if;
      return null;
    end $$`);
  for (const table of [
    "sites",
    "site_sync",
    "site_connections",
    "site_policies",
    "credentials",
    "audit_events",
  ])
    await sql.query(
      `create trigger noted after insert or update on ${table} for each row execute function note_write()`,
    );
  await sql.query(
    "begin; set local application_name = 'portreeve nobody'; update sites set name = name; commit",
  );
  expect(await rows("delete from unowned_writes returning 1")).toHaveLength(SITES);
}

const unownedWrites = () => rows("select * from unowned_writes");

test(
  "three processes check every site once a period between them, over one connection each, and write nothing",
  async () => {
    await spreadOver(3);
    await delay(2 * PERIOD_MS); // turns have settled, and PostgreSQL has counted what was written before
    await fleet.reset();
    const before = await rowsWritten();
    await delay(3 * PERIOD_MS);
    const seen = await fleet.seen();
    expect(await rowsWritten()).toBe(before);
    expect(seen.filter(({ checks }) => checks.length < 2 || checks.length > 4)).toEqual([]);
    const total = seen.reduce((sum, { checks }) => sum + checks.length, 0);
    expect(total).toBeGreaterThan(SITES * 2.8);
    expect(total).toBeLessThan(SITES * 3.2);
    expect(seen.filter(({ sessions, mostSessions }) => sessions !== 1 || mostSessions !== 1)).toEqual([]);
  },
  60_000 + 6 * PERIOD_MS,
);

test("the sites of a process that is killed are checked by the others within ten seconds", async () => {
  const [victim] = processes as [ReconcilerProcess];
  const orphans = (await shares()).get(victim.pid) ?? [];
  expect(orphans.length).toBeGreaterThan(0);
  await fleet.reset();
  await victim.kill();
  const took = await checkedAgain(orphans, Date.now(), TAKEN_OVER_MS);
  console.log(`killed: ${orphans.length} sites checked again after ${took} ms`);
  expect((await fleet.seen()).filter(({ mostSessions }) => mostSessions > 1)).toEqual([]);
}, 60_000);

test("a process that was frozen finds its sites others', and writes nothing about them", async () => {
  await spreadOver(2);
  const frozen = processes[1] as ReconcilerProcess;
  const orphans = (await shares()).get(frozen.pid) ?? [];
  // It is to have runs under way that will want to write.
  await sql.query("update site_sync set generation = generation + 1");
  await sql.query("select pg_notify('portreeve_site', site_id::text) from site_sync");
  await delay(100);
  frozen.signal("SIGSTOP");
  const since = Date.now();
  await fleet.reset();
  const took = await checkedAgain(orphans, since + 500, TAKEN_OVER_MS);
  console.log(`frozen: ${orphans.length} sites checked again after ${took} ms`);
  await waitFor(allInSync, { within: 20_000, what: "the others to have delivered" });
  await delay(Math.max(0, 20_000 - (Date.now() - since)));
  frozen.signal("SIGCONT");
  await spreadOver(2);
  const one = async () => (await fleet.seen()).every(({ sessions }) => sessions === 1);
  await waitFor(one, { within: 20_000, what: "its old connections to be closed" });
  expect(await unownedWrites()).toEqual([]);
  // By its own clock, or told by the database, whichever it looked at first.
  expect(frozen.output()).toMatch(/were not renewed in time|another process has taken this one's leases/);
}, 120_000);

test(
  "a newcomer gets its part of the work, and no site is ever worked for by two",
  async () => {
    await fleet.reset();
    startProcess();
    startProcess();
    await spreadOver(4);
    const since = Date.now();
    const all = (await fleet.seen()).map(({ address }) => address);
    await checkedAgain(all, since, 2 * PERIOD_MS + 5_000);
    expect((await fleet.seen()).filter(({ mostSessions }) => mostSessions > 1)).toEqual([]);
  },
  60_000 + 2 * PERIOD_MS,
);

test("processes that are stopped give everything up, and none has ever written about another's site", async () => {
  await Promise.all(processes.map((one) => one[Symbol.asyncDispose]()));
  expect(await unownedWrites()).toEqual([]);
  expect(await rows("select from members")).toEqual([]);
  expect(await rows("select from bucket_leases where holder is not null")).toEqual([]);
}, 60_000);

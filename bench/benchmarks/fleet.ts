/**
 * What a fleet costs: adoption, doing nothing, one policy change on all of it in waves, the rotation of every login.
 * Beside a bare loop that sends every router the sentences one of them was told, and does nothing else.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Policy, Site } from "@portreeve/api-schema";
import { password, username } from "../clients/index.ts";
import { type Cost, Installation } from "../fleet/installation.ts";
import { type BenchmarkContext, type Measurement, Worker } from "../harness.ts";
import { POLICIES, policyInput } from "../policies.ts";

const SITES = 200;
const PERIOD_SECONDS = 30;
const IDLE_PERIODS = 2;
/** How long a phase may take, seconds: so much, and so much for each router. */
const WITHIN = { base: 60, perSite: 0.5 };

const NOT_IN_SYNC = "select count(*) as left from site_sync where sync_state <> 'in_sync'";
const NOT_ROTATED = "select count(*) as left from credentials where state = 'pending'";
const NOT_ROLLED_OUT = "select count(*) as left from rollouts where ended_at is null";

interface Target {
  readonly address: string;
  readonly port: number;
}

const PHASES = ["adoption", "idle", "policy-change", "rotation"] as const;
type Phase = (typeof PHASES)[number];

interface Result {
  readonly seconds: number;
  readonly cost: Cost;
  /** What one router was told, by connection. */
  readonly told: string[][][];
}

interface Loop {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export async function fleet(context: BenchmarkContext): Promise<Measurement[]> {
  const sites = context.sites ?? SITES;
  const withinMs = 1000 * (WITHIN.base + sites * WITHIN.perSite);
  await using routers = await Worker.start("fleet", context);
  const order = { count: sites, firstAddress: "127.100.0.1" };
  const targets = await routers.ask<Target[]>("start", order, withinMs);
  const { results, bytesPerSite } = await runPhases(context, targets, routers, withinMs);
  // The server is gone: the loop has the machine to itself, as the server had.
  await using bare = await Worker.start("fleet-bare", context);
  const loops = {} as Record<Phase, Loop>;
  for (const phase of PHASES) {
    const { told } = results[phase];
    loops[phase] = await bare.ask<Loop>("send", { routers: targets, told }, withinMs);
  }
  return [...figures(sites, results, loops), memory(bytesPerSite)];
}

async function runPhases(
  context: BenchmarkContext,
  targets: readonly Target[],
  routers: Worker,
  withinMs: number,
): Promise<{ results: Record<Phase, Result>; bytesPerSite: number }> {
  await using installation = await Installation.start(PERIOD_SECONDS, context.signal);
  const finished = (query: string) => installation.until(query, withinMs);
  const phase = async (work: () => Promise<unknown>): Promise<Result> => {
    const before = await installation.cost();
    const start = performance.now();
    await work();
    const seconds = (performance.now() - start) / 1000;
    const cost = differenceOf(before, await installation.cost());
    return { seconds, cost, told: await routers.ask("told") };
  };
  const empty = await installation.cost();
  const content = policyInput(1);
  await setPolicy(installation, content);
  const adoption = await phase(async () => {
    await installation.forEach(targets, ({ address, port }) =>
      installation.request("POST", "/v1/sites", {
        name: address,
        address,
        api_port: port,
        username,
        password,
      }),
    );
    await finished(NOT_IN_SYNC);
  });
  // What adoption left to write is written first.
  await phase(() => delay(PERIOD_SECONDS * 1000));
  const { server } = await installation.cost();
  const bytesPerSite = (server.memoryBytes - empty.server.memoryBytes) / targets.length;
  const idle = await phase(() => delay(IDLE_PERIODS * PERIOD_SECONDS * 1000));
  const change = await phase(async () => {
    await setPolicy(installation, { ...content, ssh: { ...content.ssh, port: 2200 } });
    await finished(NOT_ROLLED_OUT);
    await finished(NOT_IN_SYNC);
  });
  const ids = await everySite(installation);
  const rotation = await phase(async () => {
    await installation.forEach(ids, (id) =>
      installation.request("POST", `/v1/control-plane/${id}/credentials`),
    );
    await finished(NOT_ROTATED);
  });
  return { results: { adoption, idle, "policy-change": change, rotation }, bytesPerSite };
}

function figures(sites: number, results: Record<Phase, Result>, loops: Record<Phase, Loop>): Measurement[] {
  const { idle } = results;
  const checks = sites * IDLE_PERIODS;
  const both = idle.cost.server.cpuSeconds + idle.cost.postgres.cpuSeconds;
  const rates = PHASES.filter((phase) => phase !== "idle").map(
    (phase): Measurement => ({
      name: `fleet-${phase}`,
      value: sites / results[phase].seconds,
      unit: "sites/s",
      baseline: "bare loop, same sentences",
      baselineValue: sites / loops[phase].seconds,
      better: "higher",
    }),
  );
  const cpu = PHASES.map((phase) => {
    const units = phase === "idle" ? checks : sites;
    const [own, bare] = [results[phase].cost.server.cpuSeconds, loops[phase].cpuSeconds];
    const unit = phase === "idle" ? "ms CPU/check" : "ms CPU/site";
    return lower(`fleet-${phase}-cpu`, (own * 1000) / units, unit, "bare loop", (bare * 1000) / units);
  });
  return [
    ...rates,
    ...cpu,
    lower("fleet-idle-writes", idle.cost.rowsWritten / checks, "rows/check", "one row", 1),
    lower("fleet-idle-cores", both / idle.seconds, "cores", "0.6 for 10,000", (0.6 * sites) / 10_000),
  ];
}

function memory(bytesPerSite: number): Measurement {
  return lower("fleet-memory", bytesPerSite / 1024, "KiB/site", "50", 50);
}

function lower(
  name: string,
  value: number,
  unit: string,
  baseline: string,
  baselineValue: number,
): Measurement {
  return { name, value, unit, baseline, baselineValue, better: "lower" };
}

/** All sites are under the default policy. */
async function setPolicy(installation: Installation, content: ReturnType<typeof policyInput>): Promise<void> {
  const policies = await installation.request<Policy[]>("GET", POLICIES);
  const id = policies.find((policy) => policy.default)?.id;
  await installation.request("PUT", `${POLICIES}/${id}`, content);
}

async function everySite(installation: Installation): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ""; ; ) {
    const path = `/v1/sites?limit=200${cursor}`;
    const page = await installation.request<{ data: Site[]; next_cursor: string | null }>("GET", path);
    ids.push(...page.data.map(({ id }) => id));
    if (page.next_cursor === null) return ids;
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
  }
}

function differenceOf(before: Cost, after: Cost): Cost {
  const usage = (part: "server" | "postgres") => ({
    cpuSeconds: after[part].cpuSeconds - before[part].cpuSeconds,
    memoryBytes: after[part].memoryBytes - before[part].memoryBytes,
  });
  return {
    server: usage("server"),
    postgres: usage("postgres"),
    rowsWritten: after.rowsWritten - before.rowsWritten,
  };
}

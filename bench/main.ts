/**
 * npm run bench                       a table
 * npm run bench -- --json             one JSON object per line
 * npm run bench -- --only decode-rows one benchmark; may be given several times
 * npm run bench -- --only fleet --sites 1000   a fleet of another size than 200
 * npm run bench -- --cpu-prof dir     CPU profiles of the worker processes into dir, too
 */
import { parseArgs } from "node:util";
import { commandsPipelined, commandsSequential, decodeRows } from "./benchmarks/client.ts";
import { fleet } from "./benchmarks/fleet.ts";
import { gatewayLatency, gatewayThroughput } from "./benchmarks/gateway.ts";
import { gatewayOpen } from "./benchmarks/gateway-open.ts";
import { httpPolicies } from "./benchmarks/http-policies.ts";
import { start } from "./benchmarks/start.ts";
import type { Benchmark, Measurement } from "./harness.ts";
import { heading, jsonLine, table } from "./report.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  "decode-rows": decodeRows,
  "commands-sequential": commandsSequential,
  "commands-pipelined": commandsPipelined,
  "http-policies": httpPolicies,
  "gateway-throughput": gatewayThroughput,
  "gateway-latency": gatewayLatency,
  "gateway-open": gatewayOpen,
  start,
  fleet,
};

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: Object.keys(BENCHMARKS) },
    "cpu-prof": { type: "string" },
    sites: { type: "string" },
  },
});
const { json, only, "cpu-prof": profileDir } = values;
const sites = values.sites === undefined ? undefined : Number(values.sites);
for (const name of only) {
  if (BENCHMARKS[name]) continue;
  console.error(`no benchmark ${name}; there are ${Object.keys(BENCHMARKS).join(", ")}`);
  process.exit(2);
}

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());

// Standard output is for the results alone.
console.error(`${heading()}\n`);
const measurements: Measurement[] = [];
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (!only.includes(name) || ending.signal.aborted) continue;
  console.error(`${name} …`);
  try {
    const results = await benchmark({ signal: ending.signal, profileDir, sites });
    measurements.push(...results);
    if (json) for (const result of results) console.log(jsonLine(result));
  } catch (error) {
    process.exitCode = 1;
    // The others may still tell something.
    if (!ending.signal.aborted) console.error(`${name} failed:`, error);
  }
}
if (!json && measurements.length > 0) console.log(`\n${table(measurements)}`);

/**
 * Measures a fleet:
 *
 *     node --expose-gc --conditions=@portreeve/source packages/emulator/scripts/fleet.ts [count]
 */
import { startFleet } from "../src/index.ts";

const count = Number(process.argv[2] ?? 10_000);
const kib = (bytes: number) => (bytes / count / 1024).toFixed(1);

// What the first router brings for all (code, menus) is not the price of one.
await (await startFleet({ count: 1 })).close();
globalThis.gc?.();
const before = process.memoryUsage();
const cpu = process.cpuUsage();
const start = performance.now();
await using fleet = await startFleet({ count });
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(cpu);
globalThis.gc?.();
const after = process.memoryUsage();
const { address } = fleet.routers.at(-1) ?? {};
console.log(
  `${count} routers up to ${address}: ${(ms / 1000).toFixed(1)} s, ${((user + system) / 1000 / count).toFixed(2)} ms of CPU each`,
);
console.log(
  `memory per router: ${kib(after.heapUsed - before.heapUsed)} KiB heap, ${kib(after.rss - before.rss)} KiB resident`,
);
console.log(`resident in all: ${(after.rss / 1024 / 1024).toFixed(0)} MiB`);

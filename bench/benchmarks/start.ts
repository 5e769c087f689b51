/** How long `portreeve serve` takes until /readyz answers 200, beside the PostgreSQL it brings along, started alone. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type BenchmarkContext, interleave, type Measurement } from "../harness.ts";

const ROUNDS = 3;
const START_TIMEOUT_MS = 60_000;
/** Between two questions to /readyz; the figure is too high by half of it. */
const ASK_EVERY_MS = 5;

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Program {
  readonly args: (dataDir: string) => string[];
  /** Resolves when it is ready, told by what it writes. */
  readonly ready: (lines: AsyncIterable<string>, signal: AbortSignal) => Promise<void>;
}

const serve: Program = {
  args: () => [fileOf("../../packages/cli/bin/portreeve.js"), "serve"],
  async ready(lines, signal) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await firstLine(lines, /http:\/\/127\.0\.0\.1:[1-9]/))?.[0];
    while (!(await isReady(`${url}/readyz`, signal))) await sleep(ASK_EVERY_MS, undefined, { signal });
  },
};

const postgres: Program = {
  args: (dataDir) => [fileOf("../workers/postgres.ts"), dataDir],
  ready: async (lines) => void (await firstLine(lines, /^ready$/)),
};

export async function start(context: BenchmarkContext): Promise<Measurement[]> {
  const seconds = await interleave(ROUNDS, {
    serve: () => startTwice(serve, context),
    postgres: () => startTwice(postgres, context),
  });
  return (["first", "warm"] as const).map((which) => ({
    name: `start-${which}`,
    value: seconds.serve[which] * 1000,
    unit: "ms",
    baseline: "embedded PostgreSQL alone",
    baselineValue: seconds.postgres[which] * 1000,
    better: "lower",
  }));
}

/** Start in an empty directory, stop, and start again in it. */
async function startTwice(program: Program, context: BenchmarkContext) {
  await using resources = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "portreeve-bench-"));
  resources.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  return {
    first: await startOnce(program, dataDir, context),
    warm: await startOnce(program, dataDir, context),
  };
}

async function startOnce(program: Program, dataDir: string, context: BenchmarkContext): Promise<number> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  const begin = performance.now();
  const child = spawn(process.execPath, ["--conditions=@portreeve/source", ...program.args(dataDir)], {
    env: {
      PATH: process.env.PATH,
      PORTREEVE_HTTP: "127.0.0.1:0",
      PORTREEVE_DATA_DIR: dataDir,
      PORTREEVE_LOG_LEVEL: "warn",
      PORTREEVE_BOOTSTRAP_TOKEN: randomBytes(24).toString("hex"),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await using _stopping = { [Symbol.asyncDispose]: () => stop(child) };
  const lines = createInterface({ input: child.stdout, signal });
  await program.ready(lines, signal);
  return (performance.now() - begin) / 1000;
}

/** Orderly, so that no database is left behind. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.stdout?.resume();
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function firstLine(lines: AsyncIterable<string>, wanted: RegExp): Promise<string> {
  for await (const line of lines) if (wanted.test(line)) return line;
  throw new Error(`it ended without a line like ${wanted}`);
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

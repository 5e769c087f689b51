/** `portreeve serve` as an operator runs it, with its embedded database, and what its processes cost. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { descendantsOf, type Usage, usageOf } from "./processes.ts";

const LAUNCHER = fileURLToPath(new URL("../../packages/cli/bin/portreeve.js", import.meta.url));
/** Requests under way at a time. */
const AT_ONCE = 16;
/** Between two looks at how far the fleet is, milliseconds. */
const LOOK_EVERY_MS = 100;

export interface Cost {
  readonly server: Usage;
  readonly postgres: Usage;
  /** Rows inserted, updated and deleted so far. */
  readonly rowsWritten: number;
}

export class Installation implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #token: string;
  readonly #sql: pg.Client;
  readonly #dataDir: string;

  private constructor(child: ChildProcess, url: string, token: string, sql: pg.Client, dataDir: string) {
    this.#child = child;
    this.#url = url;
    this.#token = token;
    this.#sql = sql;
    this.#dataDir = dataDir;
  }

  static async start(periodSeconds: number, signal: AbortSignal): Promise<Installation> {
    const dataDir = await mkdtemp(join(tmpdir(), "portreeve-bench-"));
    const token = randomBytes(24).toString("hex");
    const child = spawn(process.execPath, ["--conditions=@portreeve/source", LAUNCHER, "serve"], {
      env: {
        PATH: process.env.PATH,
        PORTREEVE_HTTP: "127.0.0.1:0",
        PORTREEVE_DATA_DIR: dataDir,
        PORTREEVE_LOG_LEVEL: "warn",
        PORTREEVE_BOOTSTRAP_TOKEN: token,
        PORTREEVE_MANAGEMENT_ADDRESS: "127.0.0.1",
        PORTREEVE_ALLOW_LOOPBACK_SITES: "true",
        PORTREEVE_EXPOSURE_HOURS: "0",
        PORTREEVE_RECONCILE_SECONDS: String(periodSeconds),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    signal.addEventListener("abort", () => child.kill("SIGTERM"));
    const url = await urlFrom(child);
    const root = join(dataDir, "postgres");
    const password = (await readFile(join(root, "password"), "utf8")).trim();
    const database = { host: join(root, "run"), user: "portreeve_owner", password, database: "portreeve" };
    const sql = new pg.Client(database);
    sql.on("error", () => {});
    await sql.connect();
    return new Installation(child, url, token, sql, dataDir);
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (;;) {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text || "null") as T;
      if (response.status !== 429) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      await delay(Number(response.headers.get("retry-after") ?? 1) * 1000);
    }
  }

  /** The same request for each of many, some at a time. */
  async forEach<T>(items: readonly T[], request: (item: T) => Promise<unknown>): Promise<void> {
    const waiting = items.values();
    const work = async () => {
      for (const item of waiting) await request(item);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Wait until a query that counts what is left to do answers 0. */
  async until(query: string, withinMs: number): Promise<void> {
    const late = performance.now() + withinMs;
    for (;;) {
      const { rows } = await this.#sql.query(query);
      const left = Number(rows[0]?.left);
      if (left === 0) return;
      if (performance.now() > late) throw new Error(`${left} left after ${withinMs / 1000} s: ${query}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What all of it has cost so far. The processes are told apart by what they are. */
  async cost(): Promise<Cost> {
    const pids = await descendantsOf(this.#child.pid ?? 0);
    const titles = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    );
    const isPostgres = (at: number) => /postgres/.test(titles[at]?.split("\0")[0] ?? "");
    const server = pids.filter((_, at) => !isPostgres(at));
    const { rows } = await this.#sql.query(
      `select tup_inserted + tup_updated + tup_deleted as written from pg_stat_database where datname = current_database()`,
    );
    return {
      server: await usageOf([this.#child.pid ?? 0, ...server]),
      postgres: await usageOf(pids.filter((_, at) => isPostgres(at))),
      rowsWritten: Number(rows[0]?.written),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end().catch(() => {});
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    await rm(this.#dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function urlFrom(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const url = /^Portal\s+(http:\/\/\S+)\/$/.exec(line)?.[1];
    if (url) {
      child.stdout?.resume();
      return url;
    }
  }
  throw new Error("the server ended before it was ready");
}

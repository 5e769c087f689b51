/** The server as an operator runs it: `portreeve serve`, a process of its own with its embedded database. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { waitFor } from "@portreeve/testing";
import { openClient } from "../../packages/server/src/database/connection.ts";
import { ApiClient } from "./api.ts";
import { LoopbackNet } from "./network.ts";
import { GATEWAY_PORTS } from "./server.ts";

const BIN = fileURLToPath(new URL("../../packages/cli/bin/portreeve.js", import.meta.url));
const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 30_000;

export class ServerProcess implements AsyncDisposable {
  readonly net = new LoopbackNet();
  readonly gatewayAddress = this.net.address();
  readonly managementAddress = this.net.address();
  readonly token = `process-${randomBytes(24).toString("hex")}`;
  readonly api = new ApiClient(`http://${this.gatewayAddress}:8080`, this.token);
  readonly dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #output = "";

  private constructor(dataDir: string, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.#env = env;
  }

  /** A server that has not been started yet, on an empty data directory. */
  static async prepare(env: Record<string, string> = {}): Promise<ServerProcess> {
    return new ServerProcess(await mkdtemp(join(tmpdir(), "portreeve-process-")), env);
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error("the server is not running");
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Everything its starts have written to stdout and stderr. */
  output(): string {
    return this.#output;
  }

  /** Start it; it is not ready yet. */
  start(): void {
    const child = spawn(process.execPath, ["--conditions=@portreeve/source", BIN, "serve"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        PORTREEVE_HTTP: new URL(this.api.url).host,
        PORTREEVE_DATA_DIR: this.dataDir,
        PORTREEVE_STATE_DIR: join(this.dataDir, "state"),
        PORTREEVE_BOOTSTRAP_TOKEN: this.token,
        PORTREEVE_GATEWAY: this.gatewayAddress,
        PORTREEVE_GATEWAY_PORTS: GATEWAY_PORTS,
        PORTREEVE_MANAGEMENT_ADDRESS: this.managementAddress,
        PORTREEVE_ALLOW_LOOPBACK_SITES: "true",
        PORTREEVE_RECONCILE_SECONDS: "1",
        PORTREEVE_EXPOSURE_HOURS: "0",
        ...this.#env,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        this.#output += chunk;
      });
    }
    this.#child = child;
  }

  /** @throws when it ends, or is not ready in time; the text has its last words */
  async ready(): Promise<void> {
    const isReady = async () => {
      if (!this.isRunning) return "ended";
      return (await fetch(`${this.api.url}/readyz`)).status === 200 && "ready";
    };
    const state = await waitFor(isReady, { within: READY_WITHIN_MS, what: "the server to be ready" });
    if (state === "ended") throw new Error(`the server ended by itself: ${this.#output.slice(-3000)}`);
  }

  /**
   * The process of one role as it runs now; undefined while it is between two lives.
   * Source: Linux, proc_pid_task(5), children; proc_pid_cmdline(5).
   */
  async rolePid(role: "api" | "reconciler" | "gateway"): Promise<number | undefined> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, "utf8");
    for (const pid of children.trim().split(" ")) {
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      if (words.includes(role)) return Number(pid);
    }
    return undefined;
  }

  /** Send a signal to the process of one role. @returns its pid @throws it does not run */
  async signalRole(role: "api" | "reconciler" | "gateway", signal: NodeJS.Signals): Promise<number> {
    const pid = await this.rolePid(role);
    if (pid === undefined) throw new Error(`no process of the role ${role} runs`);
    process.kill(pid, signal);
    return pid;
  }

  /** Wait until another process than this one does the role's work, and all roles work. */
  async roleReplaced(role: "api" | "reconciler" | "gateway", before: number): Promise<void> {
    const isOther = async () => ![undefined, before].includes(await this.rolePid(role));
    await waitFor(isOther, { within: READY_WITHIN_MS, what: `another process of the role ${role}` });
    const works = () =>
      fetch(`${this.api.url}/readyz`).then(
        ({ status }) => status === 200,
        () => false, // nobody listens yet
      );
    await waitFor(works, { within: READY_WITHIN_MS, what: "all roles to work again" });
  }

  /**
   * End it now, as `kill -9` and a lack of memory do. Its database lives on. Only the supervisor gets the signal: that
   * its roles end by themselves, or are ended by the next start, is part of what a kill has to show.
   */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** End its PostgreSQL now; resolves when the server has started another. */
  async killDatabase(): Promise<void> {
    const pid = await this.databasePid();
    if (pid === undefined || !(await isPostgresOf(pid, this.dataDir))) throw new Error("no database runs");
    process.kill(pid, "SIGKILL");
    const isBack = async () => {
      const now = await this.databasePid();
      return now !== undefined && now !== pid;
    };
    await waitFor(isBack, { within: READY_WITHIN_MS, what: "the server to start its database again" });
  }

  /** End it in good order. @returns its exit code, null when it had to be killed */
  async stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    const late = delay(STOPPED_WITHIN_MS, undefined, { ref: false }).then(() => child.kill("SIGKILL"));
    await Promise.race([ended, late]);
    await ended;
    return child.exitCode;
  }

  /** SQL on its embedded database, as the owner of the tables. @throws while the database is away */
  async sql(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = await openClient(await this.connection());
    try {
      return (await client.query(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async connection() {
    const root = join(this.dataDir, "postgres");
    const password = (await readFile(join(root, "password"), "utf8")).trim();
    return { host: join(root, "run"), port: 5432, user: "portreeve_owner", password, database: "portreeve" };
  }

  /** Process id of its PostgreSQL, when there is one. */
  async databasePid(): Promise<number | undefined> {
    const file = join(this.dataDir, "postgres", "cluster", "postmaster.pid");
    const text = await readFile(file, "utf8").catch(() => "");
    return Number(text.split("\n")[0]) || undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    // A server that was killed leaves its database running; nobody starts it again.
    const left = await this.databasePid();
    if (left !== undefined && (await isPostgresOf(left, this.dataDir))) {
      process.kill(left, "SIGINT");
      await waitFor(async () => !(await isPostgresOf(left, this.dataDir)), { what: "PostgreSQL to end" });
    }
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** PostgreSQL works in its data directory; a process that only has a recycled id does not. */
async function isPostgresOf(pid: number, dataDir: string): Promise<boolean> {
  const cluster = join(dataDir, "postgres", "cluster");
  return (await readlink(`/proc/${pid}/cwd`).catch(() => "")) === cluster;
}

/** Ports on which anybody listens at this IPv4 address. Source: Linux, proc_pid_net(5), tcp. */
export async function listeningPorts(address: string): Promise<number[]> {
  const asHex = Buffer.from(address.split(".").map(Number).toReversed()).toString("hex").toUpperCase();
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n").slice(1);
  return lines.flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [host, port = ""] = local.split(":");
    return host === asHex && state === "0A" ? [Number.parseInt(port, 16)] : [];
  });
}

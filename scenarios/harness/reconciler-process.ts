/** The role reconciler in a process of its own, without a supervisor, on a PostgreSQL that others use too. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./reconciler-process-main.ts", import.meta.url));
const STOPPED_WITHIN_MS = 30_000;

export class ReconcilerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";

  /** @param env its settings, DATABASE_URL among them */
  constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ["--conditions=@portreeve/source", MAIN], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, PORTREEVE_ROLES: "reconciler", ...env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk) => {
        this.#output += chunk;
      });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process did not start");
    return this.#child.pid;
  }

  /** What it has written to stdout and stderr. */
  output(): string {
    return this.#output;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill("SIGKILL"), STOPPED_WITHIN_MS);
    await ended;
    clearTimeout(late);
  }
}

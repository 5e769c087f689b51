/** For tests: the command as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const LAUNCHER = fileURLToPath(new URL("../bin/portreeve.js", import.meta.url));

/** Ports of transient access: below the ephemeral range, so that no outgoing connection holds one. */
export const GATEWAY_PORTS = "20000-29999";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `portreeve`; disposing ends it with SIGTERM. */
export class CliProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  stdout = "";
  stderr = "";

  /** @param environment on top of ours; settings of the person who runs the tests don't count */
  constructor(words: readonly string[], environment: Readonly<Record<string, string>> = {}, input?: string) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(PORTREEVE_|DATABASE_URL)/.test(name),
    );
    this.#child = spawn(process.execPath, ["--conditions=@portreeve/source", LAUNCHER, ...words], {
      env: { ...Object.fromEntries(inherited), ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exit = once(this.#child, "close");
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(input);
  }

  /** Resolves with the match once the stream shows it. @throws when the process ends before */
  async shows(pattern: RegExp, stream: "stdout" | "stderr" = "stdout"): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended with ${this.#child.exitCode} before it showed ${pattern}: ${this.stderr}`);
      }
      await Promise.race([once(this.#child[stream] ?? this.#child, "data"), this.#exit]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async finished(): Promise<Finished> {
    await this.#exit;
    return { code: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGTERM");
    await this.#exit;
  }
}

/** Run a command to its end. */
export function runCli(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<Finished> {
  return new CliProcess(words, environment, input).finished();
}

/** A directory that goes with its user. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "portreeve-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** One role in a process of its own: started, watched, started again when it dies, stopped. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { Problems } from "../roles/role.ts";
import type { Role } from "../settings.ts";
import { type FromRole, fromPlainError, type Settings, type ToRole } from "./messages.ts";

const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../roles/process.ts" : "../roles/process.js", import.meta.url),
);

/** Between two starts of a role that dies, doubled each time up to the last, milliseconds. */
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 5_000;
/** A role that worked so long begins with the first pause again. */
const STEADY_MS = 60_000;
/** How long a role may take to stop before it is killed, milliseconds. */
const STOP_MS = 20_000;

export interface RoleProcessOptions {
  readonly role: Role;
  /** Stands among its arguments, so that the next start can tell what an earlier one left running. */
  readonly mark: string;
  /** Where its log goes: a file descriptor of ours. */
  readonly logFd: number;
  readonly log: Logger;
  /** What does not work in this role has changed. */
  readonly onProblems: (problems: Problems) => void;
}

export interface Ready {
  readonly url: string | undefined;
  readonly bootstrapToken: string | undefined;
}

export class RoleProcess {
  readonly #options: RoleProcessOptions;
  #child: ChildProcess;
  #settings: Extract<ToRole, { type: "start" }> | undefined;
  #others: Problems = {};
  #isStopping = false;
  #restarts = 0;

  /** Starts the process, which loads its code and waits for its settings. */
  constructor(options: RoleProcessOptions) {
    this.#options = options;
    this.#child = this.#fork();
  }

  /** Starts after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Give it its settings.
   * @returns when it works; from then on it is started again whenever it dies
   * @throws why it does not start
   */
  async start(settings: Settings): Promise<Ready> {
    this.#settings = { type: "start", ...settings };
    const ready = await this.#startChild();
    void this.#keepRunning();
    return ready;
  }

  /** The problems of the roles beside it. */
  tell(problems: Problems): void {
    this.#others = problems;
    this.#say({ type: "problems", problems });
  }

  /** Not to be started again, whoever ends it: a service manager tells every process of ours to end at once. */
  retire(): void {
    this.#isStopping = true;
  }

  /** End it in order; kill it when that takes too long. Safe twice. */
  async stop(): Promise<void> {
    this.retire();
    const child = this.#child;
    if (hasEnded(child)) return;
    const ended = once(child, "exit");
    this.#say({ type: "stop" });
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  async #keepRunning(): Promise<void> {
    const { role, log, onProblems } = this.#options;
    for (let pauseMs = FIRST_RESTART_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_RESTART_MS)) {
      const startedAt = performance.now();
      if (!hasEnded(this.#child)) await once(this.#child, "exit");
      if (this.#isStopping) return;
      if (performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_RESTART_MS;
      const { exitCode, signalCode } = this.#child;
      log.error({ role, exitCode, signalCode }, "a process ended by itself; starting it again");
      onProblems({ [role]: "is being started again" });
      await delay(pauseMs);
      if (this.#isStopping) return;
      this.#child = this.#fork();
      this.#restarts++;
      try {
        await this.#startChild();
        onProblems({});
      } catch (error) {
        log.error({ role, err: error }, "a process did not start");
      }
    }
  }

  /** @throws why it ended, or what it says keeps it from working */
  async #startChild(): Promise<Ready> {
    const child = this.#child;
    const { promise, resolve, reject } = Promise.withResolvers<Ready>();
    child.on("message", (message: FromRole) => {
      if (message.type === "ready") resolve(message);
      else if (message.type === "failed") reject(fromPlainError(message.error));
      else this.#options.onProblems(message.problems);
    });
    child.once("exit", (code, signal) =>
      reject(new Error(`the process of the role ${this.#options.role} ended (${signal ?? code})`)),
    );
    if (this.#settings) this.#say(this.#settings);
    this.#say({ type: "problems", problems: this.#others });
    return promise;
  }

  #fork(): ChildProcess {
    const { role, mark, logFd } = this.#options;
    // Structured clone: settings hold sets. What is printed for people comes from the supervisor alone.
    const child = fork(ENTRY, [role, mark], {
      stdio: ["ignore", "ignore", logFd, "ipc"],
      serialization: "advanced",
      env: withoutSettings(process.env),
    });
    child.on("error", (error) =>
      this.#options.log.error({ role, err: error }, "a process could not be told"),
    );
    return child;
  }

  #say(message: ToRole): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

/** Settings travel over the channel: an operator's secrets are in the environment of no more processes than they were given to. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(environment).filter(([name]) => !/^(PORTREEVE_|DATABASE_)/.test(name));
  return Object.fromEntries(others);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

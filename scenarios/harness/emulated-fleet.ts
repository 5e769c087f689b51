/** A fleet of emulated routers as a process of its own: what it spends and how busy it is, the servers don't feel. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a router has seen, as its process tells it. */
export interface RouterSeen {
  readonly address: string;
  /** When somebody read what every check reads, milliseconds since 1970, to about 100 ms. */
  readonly checks: readonly number[];
  /** Sessions of Portreeve's user open now, and the most there were at a time since the last `reset`. */
  readonly sessions: number;
  readonly mostSessions: number;
}

export type FleetRequest = "seen" | "reset" | "close";

const PROCESS = fileURLToPath(new URL("emulated-fleet-process.ts", import.meta.url));

export class EmulatedFleet implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param firstAddress the others follow it; they take logins as `username` */
  static async start(
    count: number,
    firstAddress: string,
    login: { username: string; password: string },
  ): Promise<EmulatedFleet> {
    const child = fork(PROCESS, [JSON.stringify({ count, firstAddress, ...login })], {
      execArgv: ["--conditions=@portreeve/source"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [message] = await Promise.race([once(child, "message"), once(child, "exit")]);
    if (message !== "ready") throw new Error(`the emulated fleet did not start: ${message}`);
    return new EmulatedFleet(child);
  }

  /** What every router has seen, in the order of their addresses. */
  async seen(): Promise<RouterSeen[]> {
    return (await this.#ask("seen")) as RouterSeen[];
  }

  /** Count the most sessions at a time anew, and forget the checks. */
  async reset(): Promise<void> {
    await this.#ask("reset");
  }

  async #ask(request: FleetRequest): Promise<unknown> {
    const answer = once(this.#child, "message");
    this.#child.send(request);
    return (await answer)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.send("close" satisfies FleetRequest);
    await ended;
  }
}

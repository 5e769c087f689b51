import { setTimeout as sleep } from "node:timers/promises";
import { stopServerProcesses } from "./processes.ts";
import { type ServerPlace, startServer } from "./server.ts";

/** Between two attempts to bring a server back, milliseconds. */
const RESTART_DELAY_MS = 1_000;

/**
 * Keeps a started server running until disposed: when its process ends unasked (killed for memory, crashed), it is
 * started again at the same address, at once and then every second. Clients see their connections break and reconnect.
 */
export class Supervisor implements AsyncDisposable {
  readonly #place: ServerPlace;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  constructor(place: ServerPlace, ended: Promise<string>) {
    this.#place = place;
    this.#watching = this.#watch(ended);
  }

  /** Stop the server (fast: open transactions roll back) and stay until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the embedded PostgreSQL is being stopped"));
    await stopServerProcesses(this.#place.clusterDir);
    await this.#watching; // a restart under way stops what it has begun
  }

  async #watch(first: Promise<string>): Promise<void> {
    for (let ended = first; ; ) {
      const reason = await ended;
      if (this.#stop.signal.aborted) return;
      this.#place.log.error({ reason }, "the embedded PostgreSQL ended; starting it again");
      const started = await this.#restart();
      if (!started) return;
      ended = started.ended;
    }
  }

  /** Until it runs or we are told to stop (undefined). */
  async #restart(): Promise<{ ended: Promise<string> } | undefined> {
    for (;;) {
      try {
        return await startServer(this.#place, this.#stop.signal);
      } catch (error) {
        if (this.#stop.signal.aborted) return undefined;
        this.#place.log.error({ err: error }, "the embedded PostgreSQL does not start; trying again");
        await sleep(RESTART_DELAY_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }
}

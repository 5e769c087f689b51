import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { DedicatedConnection } from "./dedicated-connection.ts";
import type { Connection } from "./hosts.ts";
import type { Log } from "./log.ts";

/** Waiting times between attempts to reconnect, doubled each time, milliseconds. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

export interface NotificationsOptions {
  /** Not a pooler: LISTEN belongs to a session. May name several hosts. */
  connection: Connection;
  channels: string[];
  onNotification(channel: string, payload: string): void;
  /** Called after every connect, the first included, once all channels are listened to: what was announced before is
   *  lost, so read everything afresh. */
  onReconnect(): void;
  /** See DedicatedConnection; 5 seconds unless told. */
  heartbeatMs?: number;
  log: Log;
}

/** LISTEN on one connection of its own that is opened again whenever it is lost, until closed. */
export class Notifications implements AsyncDisposable {
  readonly #options: NotificationsOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #listening = true;

  private constructor(options: NotificationsOptions, first: DedicatedConnection) {
    this.#options = options;
    this.#running = this.#run(first);
  }

  /**
   * Connect and listen; `onReconnect` has been called when this resolves.
   * @throws what the first connect throws; nothing is left open then
   */
  static async open(options: NotificationsOptions): Promise<Notifications> {
    return new Notifications(options, await listen(options));
  }

  /** For readiness: why nothing is heard at the moment; undefined while the connection stands. */
  get problem(): string | undefined {
    return this.#listening ? undefined : "does not hear of changes";
  }

  /** Stop listening and close the connection. Safe twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(first: DedicatedConnection): Promise<void> {
    for (let session: DedicatedConnection | undefined = first; session; session = await this.#reconnect()) {
      await using current = session;
      this.#listening = true;
      const reason = await whenAborted(AbortSignal.any([current.lost, this.#stop.signal]));
      this.#listening = false;
      if (!this.#stop.signal.aborted)
        this.#options.log.warn({ err: reason }, "the listening connection was lost; opening it again");
    }
  }

  async #reconnect(): Promise<DedicatedConnection | undefined> {
    const { log } = this.#options;
    for (let delay = FIRST_RETRY_MS; !this.#stop.signal.aborted; delay = Math.min(delay * 2, LAST_RETRY_MS)) {
      try {
        return await listen(this.#options);
      } catch (error) {
        log.warn({ err: error, delay }, "listening to the database failed; trying again");
        await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
    return undefined;
  }
}

async function listen(options: NotificationsOptions): Promise<DedicatedConnection> {
  const { channels, connection, heartbeatMs, onNotification, onReconnect } = options;
  await using opening = new AsyncDisposableStack();
  const session = opening.use(await DedicatedConnection.open(connection, heartbeatMs));
  session.onNotification((channel, payload) => guarded(options, () => onNotification(channel, payload)));
  await session.query(channels.map((channel) => `listen ${pg.escapeIdentifier(channel)}`).join("; "));
  guarded(options, onReconnect);
  opening.move();
  return session;
}

/** A listener's mistake must not end the connection, nor the process. */
function guarded({ log }: NotificationsOptions, call: () => void): void {
  try {
    call();
  } catch (error) {
    log.error({ err: error }, "a listener to database notifications failed");
  }
}

function whenAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

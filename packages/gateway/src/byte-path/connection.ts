import { connect, type Socket } from "node:net";
import type { GatewayLimits } from "./limits.ts";
import { carry } from "./pipe.ts";
import { gone, reset, socketOptions } from "./sockets.ts";
import type { ConnectionSummary, EndReason, GatewayLog, Listener } from "./types.ts";

/** What a connection tells its grant. */
export interface ConnectionEvents {
  accepted(): void;
  refused(): void;
  closed(summary: ConnectionSummary): void;
}

/**
 * One client on its way to one router.
 *
 *   waiting ──ready──> connecting ──router accepts──> silent ──client speaks──> carrying
 *      └──────────────────┴──────────────any end──────────┴───────────────────────┴──> ending ──> closed
 *
 * One deadline runs at a time, `readyMs`, `connectMs`, `firstByteMs` and `idleMs` in turn. Until the router
 * has accepted, nothing is read from the client: its bytes wait in the kernel.
 *
 * The client's first byte. In WinBox the client speaks first. In SSH both sides send their identification
 * string on connecting (RFC 4253, 4.2) and a client may wait for the server's. So the client has
 * `firstByteMs` from the moment bytes flow, and, if the router speaks before it, again from the router's
 * first byte. Neither the wait for `ready` nor the dial is charged to it.
 */
export class Connection {
  readonly source: string;
  /** Resolves once both descriptors are gone. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #listener: Listener;
  readonly #limits: GatewayLimits;
  readonly #events: ConnectionEvents;
  readonly #log: GatewayLog;
  readonly #abort = new AbortController();
  #stage: "waiting" | "connecting" | "silent" | "carrying" | "ending" = "waiting";
  #router: Socket | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #accepted = false;
  #reason: EndReason | undefined;
  #bytesToRouter = 0;
  #bytesFromRouter = 0;

  /** @param client accepted with `pauseOnConnect`, from a source that is admitted */
  constructor(
    client: Socket,
    source: string,
    listener: Listener,
    limits: GatewayLimits,
    events: ConnectionEvents,
    log: GatewayLog,
  ) {
    this.source = source;
    this.#client = client;
    this.#listener = listener;
    this.#limits = limits;
    this.#events = events;
    this.#log = log;
    client.on("error", (cause) => this.#fail("client_reset", cause));
    this.closed = this.#untilClosed();
    void this.#awaitReady();
  }

  /** Whether the client has yet to speak. */
  get opening(): boolean {
    return this.#stage === "waiting" || this.#stage === "connecting" || this.#stage === "silent";
  }

  /** Bytes this process holds for either side. */
  get bufferedBytes(): number {
    const client = this.#client.readableLength + this.#client.writableLength;
    return client + (this.#router ? this.#router.readableLength + this.#router.writableLength : 0);
  }

  /** End both sides at once, whatever they are doing, and whoever does not read. */
  cut(reason: EndReason): void {
    this.#leave(reason);
    reset(this.#client);
    if (this.#router) reset(this.#router);
  }

  async #awaitReady(): Promise<void> {
    this.#within(this.#limits.readyMs, () => this.#refuse(new Error("not ready in time")));
    try {
      await this.#listener.ready(this.#abort.signal);
    } catch (cause) {
      this.#refuse(cause);
    }
    if (this.#stage !== "waiting") return;
    if (this.#listener.over()) this.#refuse(new Error("the grant has ended"));
    else this.#connect();
  }

  #connect(): void {
    this.#stage = "connecting";
    this.#accepted = true;
    this.#events.accepted();
    this.#within(this.#limits.connectMs, () => this.#fail("router_reset", new Error("no answer in time")));
    const router = this.#dial();
    router?.on("error", (cause) => this.#fail("router_reset", cause));
    router?.once("connect", () => this.#carry(this.#client, router));
    this.#router = router;
  }

  /** Node throws at once for what it knows to be no address or port; to us the router is then unreachable too. */
  #dial(): Socket | undefined {
    try {
      const { host, port, localAddress } = this.#listener.target;
      return connect({ ...socketOptions, host, port, ...(localAddress && { localAddress }) });
    } catch (cause) {
      this.#fail("router_reset", cause as Error);
      return undefined;
    }
  }

  #carry(client: Socket, router: Socket): void {
    this.#stage = "silent";
    this.#within(this.#limits.firstByteMs, () => this.cut("no_first_byte"));
    client.once("end", () => this.#endedFirst("client_closed"));
    router.once("end", () => this.#endedFirst("router_closed"));
    carry(client, router, this.#limits.bufferBytes, (bytes) => this.#heardClient(bytes));
    carry(router, client, this.#limits.bufferBytes, (bytes) => this.#heardRouter(bytes));
  }

  #heardClient(bytes: number): boolean {
    if (!this.#mayPass()) return false;
    this.#bytesToRouter += bytes;
    if (this.#stage === "silent") {
      this.#stage = "carrying";
      this.#within(this.#limits.idleMs, () => this.cut("idle"));
    } else {
      this.#deadline?.refresh();
    }
    return true;
  }

  #heardRouter(bytes: number): boolean {
    if (!this.#mayPass()) return false;
    // A silent client gets its time again from the router's first byte only, or a router could keep it for ever.
    if (this.#stage === "carrying" || this.#bytesFromRouter === 0) this.#deadline?.refresh();
    this.#bytesFromRouter += bytes;
    return true;
  }

  /** Timers may be late: of a process that was stopped, or busy. What came after the end is not carried all the same. */
  #mayPass(): boolean {
    if (this.#stage === "ending") return false;
    const over = this.#listener.over();
    if (over) this.cut(over);
    return over === undefined;
  }

  #endedFirst(reason: EndReason): void {
    this.#reason ??= reason;
  }

  /** `ready` did not let the connection through. */
  #refuse(cause: unknown): void {
    if (this.#stage !== "waiting") return;
    this.#log.debug({ grant: this.#listener.id, source: this.source, err: cause }, "grant not ready");
    this.#leave("not_ready");
    this.#dismiss();
  }

  #fail(reason: "client_reset" | "router_reset", cause: Error): void {
    if (this.#stage === "ending") return;
    this.#log.debug(
      { grant: this.#listener.id, source: this.source, err: cause },
      `connection ended: ${reason}`,
    );
    if (this.#stage === "connecting" && reason === "router_reset") {
      this.#leave("router_unreachable");
      this.#router?.destroy();
      this.#dismiss();
    } else {
      // After an orderly end a reset is only the way the other side hangs up.
      this.cut(this.#reason ?? reason);
    }
  }

  /** End the client's side politely. What it has sent is read and dropped: left unread, it would turn FIN into RST. */
  #dismiss(): void {
    this.#within(this.#limits.lingerMs, () => reset(this.#client));
    this.#client.resume();
    this.#client.end();
  }

  /** Enter the last stage, once: the first reason to leave is the one reported. */
  #leave(reason: EndReason | "not_ready"): void {
    if (this.#stage === "ending") return;
    this.#stage = "ending";
    if (reason !== "not_ready") this.#reason = reason;
    clearTimeout(this.#deadline);
    this.#abort.abort();
  }

  async #untilClosed(): Promise<void> {
    await gone(this.#client);
    if (this.#router) await gone(this.#router);
    this.#leave(this.#reason ?? "client_closed");
    clearTimeout(this.#deadline);
    if (!this.#accepted) return this.#events.refused();
    this.#events.closed({
      source: this.source,
      bytesToRouter: this.#bytesToRouter,
      bytesFromRouter: this.#bytesFromRouter,
      reason: this.#reason ?? "client_closed",
    });
  }

  #within(ms: number, late: () => void): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(late, ms);
  }
}

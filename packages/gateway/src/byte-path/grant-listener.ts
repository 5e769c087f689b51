import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Connection } from "./connection.ts";
import { ListenerConflictError, PortInUseError } from "./errors.ts";
import type { GatewayLimits } from "./limits.ts";
import { RefusalThrottle } from "./refusals.ts";
import { reset, socketOptions } from "./sockets.ts";
import { canonicalAddress } from "./source.ts";
import type {
  CloseReason,
  ConnectionSummary,
  GatewayLog,
  Listener,
  ListenerStatus,
  RefusalReason,
} from "./types.ts";

/** What a grant's listener needs of its gateway. */
export interface ListenerContext {
  listenAddress: string;
  limits: GatewayLimits;
  log: GatewayLog;
  /** Connections of all grants together, now. */
  connectionCount(): number;
  nowMs(): number;
}

/** One grant's listening socket and the connections that came through it. */
export class GrantListener {
  #listener: Listener;
  readonly #context: ListenerContext;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #throttle: RefusalThrottle;
  readonly #opened: Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(listener: Listener, context: ListenerContext) {
    this.#listener = listener;
    this.#context = context;
    this.#throttle = new RefusalThrottle(context.nowMs);
    // Nothing is read from a connection before it is known to be admitted.
    this.#server = createServer({ ...socketOptions, pauseOnConnect: true }, (socket) =>
      this.#receive(socket),
    );
    this.#opened = this.#listen();
  }

  /** Settles once the port is ours. @throws PortInUseError */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** Set once `close` was called; resolves when it is done. */
  get closing(): Promise<void> | undefined {
    return this.#closed;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** The connections to come follow the new description; those that are there keep theirs. */
  redefine(listener: Listener): void {
    const { port, id } = this.#listener;
    if (listener.port !== port) throw new ListenerConflictError(id, port, listener.port);
    this.#listener = listener;
  }

  status(): ListenerStatus {
    const address = this.#server.address() as AddressInfo | null;
    let bufferedBytes = 0;
    for (const connection of this.#connections) bufferedBytes += connection.bufferedBytes;
    const { id, port } = this.#listener;
    return { id, port: address?.port ?? port, connections: this.#connections.size, bufferedBytes };
  }

  /** Stop listening and cut every connection; resolves when all descriptors are gone. Later calls join the first. */
  close(reason: CloseReason): Promise<void> {
    this.#closed ??= this.#close(reason);
    return this.#closed;
  }

  #listen(): Promise<void> {
    const { listenAddress: host, limits, log } = this.#context;
    const { port, id } = this.#listener;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause: NodeJS.ErrnoException) => {
        reject(cause.code === "EADDRINUSE" ? new PortInUseError(port, cause) : cause);
      });
      // Later errors concern single accepts, such as too many open files.
      this.#server.on("error", (err) => log.warn({ grant: id, err }, "gateway listener failed"));
      this.#server.listen({ host, port, backlog: limits.backlog, exclusive: true }, resolve);
    });
  }

  async #close(reason: CloseReason): Promise<void> {
    // Closing a server that is still binding does nothing, and it would listen afterwards.
    const listening = await this.#opened.then(
      () => true,
      () => false,
    );
    const connections = [...this.#connections];
    const serverGone = listening
      ? new Promise<void>((resolve) => this.#server.close(() => resolve()))
      : undefined;
    for (const connection of connections) connection.cut(reason);
    await Promise.all([serverGone, ...connections.map((connection) => connection.closed)]);
  }

  #receive(socket: Socket): void {
    const remoteAddress = socket.remoteAddress;
    if (remoteAddress === undefined) {
      // Gone before we looked: there is nobody to check, or to answer.
      socket.destroy();
      return;
    }
    const source = canonicalAddress(remoteAddress);
    const refusal = this.#refusal(source);
    if (refusal === undefined) {
      this.#accept(socket, source);
    } else {
      socket.on("error", () => {});
      reset(socket);
      this.#reportRefused(source, refusal);
    }
  }

  #refusal(source: string): RefusalReason | undefined {
    if (!this.#admits(source)) return "source";
    if (this.#closed || this.#listener.over()) return "not_ready";
    const { limits, connectionCount } = this.#context;
    const all = [...this.#connections];
    const fromSource = all.filter((connection) => connection.source === source);
    const isOpening = (connection: Connection) => connection.opening;
    const full =
      connectionCount() >= limits.connections ||
      all.length >= limits.connectionsPerGrant ||
      fromSource.length >= limits.connectionsPerSource ||
      all.filter(isOpening).length >= limits.openingPerGrant ||
      fromSource.filter(isOpening).length >= limits.openingPerSource;
    return full ? "limit" : undefined;
  }

  #admits(source: string): boolean {
    try {
      return this.#listener.admits(source);
    } catch (err) {
      this.#context.log.warn({ grant: this.#listener.id, source, err }, "source check failed; refused");
      return false;
    }
  }

  #accept(socket: Socket, source: string): void {
    const listener = this.#listener;
    const { limits, log } = this.#context;
    const events = {
      accepted: () => this.#call(() => listener.onAccepted?.(source, new Date())),
      refused: () => this.#reportRefused(source, "not_ready"),
      closed: (summary: ConnectionSummary) => this.#call(() => listener.onClosed?.(summary)),
    };
    const connection = new Connection(socket, source, listener, limits, events, log);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  #reportRefused(source: string, reason: RefusalReason): void {
    if (this.#throttle.lets(source, reason)) this.#call(() => this.#listener.onRefused?.(source, reason));
  }

  /** The owner's hooks, whether they throw or answer a promise that rejects, never reach the byte path. */
  #call(hook: () => unknown): void {
    (async () => hook())().catch((err) => {
      this.#context.log.warn({ grant: this.#listener.id, err }, "gateway hook failed");
    });
  }
}

/** Real sockets on loopback for this folder's tests. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket, type TcpNetConnectOpts } from "node:net";
import { Worker } from "node:worker_threads";
import type { ConnectionSummary, GatewayLog, Listener, RefusalReason } from "./types.ts";

export const silentLog: GatewayLog = { debug() {}, warn() {} };

/** A stand-in for a router's service: remembers its connections and hands each to `serve`. */
export async function startTarget(serve: (socket: Socket) => void = (socket) => socket.pipe(socket)) {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A target whose full accept queue leaves every further connection attempt unanswered. */
export async function startUnansweringTarget() {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = (await once(worker, "message")) as [number];
  // Linux queues one connection more than the backlog asks for.
  const queued = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  for (const socket of queued) socket.on("error", () => {});
  await Promise.all(queued.map((socket) => once(socket, "connect")));
  return {
    host: "127.0.0.1",
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of queued) socket.destroy();
      await worker.terminate();
    },
  };
}

/** A port nothing listens on. */
export async function closedPort(): Promise<number> {
  await using target = await startTarget();
  return target.port;
}

/** A client and what became of it. */
export class TestClient {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  error: NodeJS.ErrnoException | undefined;
  ended = false;
  closed = false;

  constructor(options: TcpNetConnectOpts) {
    this.socket = connect({ host: "127.0.0.1", allowHalfOpen: true, ...options });
    this.socket.on("error", (error) => {
      this.error = error;
    });
    this.socket.on("end", () => {
      this.ended = true;
    });
    this.socket.on("close", () => {
      this.closed = true;
    });
  }

  /** Start to read; without it the client never does. */
  reading(): this {
    this.socket.on("data", (chunk) => this.chunks.push(chunk));
    return this;
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A listener that lets everybody in, and a record of what it was told. */
export function listenerTo(target: Listener["target"], differs: Partial<Listener> = {}) {
  const accepted: string[] = [];
  const refused: [string, RefusalReason][] = [];
  const closed: ConnectionSummary[] = [];
  const listener: Listener = {
    id: "grant-1",
    port: 0,
    target: { host: target.host, port: target.port },
    admits: () => true,
    ready: () => Promise.resolve(),
    over: () => undefined,
    onAccepted: (source) => void accepted.push(source),
    onRefused: (source, reason) => void refused.push([source, reason]),
    onClosed: (summary) => void closed.push(summary),
    ...differs,
  };
  return { listener, accepted, refused, closed };
}

/** Two connected sockets in this process; destroy both. */
export async function socketPair(): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = connect({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  far.on("error", () => {});
  const [near] = (await once(server, "connection")) as [Socket];
  near.on("error", () => {});
  server.close();
  return [near, far];
}

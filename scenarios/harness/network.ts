import { randomInt } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";

/**
 * Addresses of the loopback for one test file: all of 127.0.0.0/8 is ours on Linux, and a /24 taken at random keeps
 * files that run at the same time apart, so that every router can have RouterOS-like ports of its own.
 */
export class LoopbackNet {
  readonly #prefix = `127.${randomInt(64, 250)}.${randomInt(1, 255)}`;
  #next = 1;

  /** The next unused address. */
  address(): string {
    if (this.#next > 254) throw new Error("a test file has 254 loopback addresses");
    return `${this.#prefix}.${this.#next++}`;
  }
}

/** Run a TCP server on a free port of an address until disposed; connections are destroyed with it. */
export async function listen(
  address: string,
  onConnection: (socket: Socket) => void,
): Promise<{ address: string; port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port: 0 }, resolve);
  });
  const bound = server.address();
  return {
    address,
    port: typeof bound === "object" && bound ? bound.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

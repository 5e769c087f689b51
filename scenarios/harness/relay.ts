/** A line between Portreeve and a router that counts what goes over it. */
import { connect, createServer, type Server, type Socket } from "node:net";

interface RelayOptions {
  /** Where it takes connections. */
  readonly at: { readonly host: string; readonly port: number };
  readonly to: { readonly host: string; readonly port: number };
  /** The source address the router is to see. */
  readonly from: string;
}

export class Relay implements AsyncDisposable {
  /** Payload of TCP so far, both directions. */
  bytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ to, from }: Omit<RelayOptions, "at">) {
    this.#server = createServer((near) => {
      const far = connect({ ...to, localAddress: from });
      this.#carry(near, far);
      this.#carry(far, near);
    });
  }

  static async open({ at, ...options }: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject).listen(at, resolve);
    });
    return relay;
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      to.write(chunk);
    });
    from.on("error", () => to.destroy());
    from.on("end", () => to.end());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

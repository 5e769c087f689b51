import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";

/** Stands between a client and the database, for tests of links that break. */
export class Relay implements AsyncDisposable {
  /** The database's URL, through the relay. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #isCut = false;

  private constructor(url: string, server: Server, sockets: Set<Socket>) {
    this.url = url;
    this.#server = server;
    this.#sockets = sockets;
  }

  /**
   * @param path listen on this unix socket, in a directory, instead of a free loopback port
   * @param delayMs every byte takes this much longer, either way
   */
  static async open(
    database: string,
    { path, delayMs = 0 }: { path?: string; delayMs?: number } = {},
  ): Promise<Relay> {
    const target = targetOf(database);
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(target);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from);
        if (delayMs > 0)
          from.on("data", (chunk) => setTimeout(() => to.writable && to.write(chunk), delayMs));
        else from.pipe(to);
        from.on("error", () => {}).on("close", () => to.destroy());
      }
    });
    await new Promise<void>((resolve) =>
      server.listen(path ? { path } : { port: 0, host: "127.0.0.1" }, resolve),
    );
    const relay = new Relay(path ? database : throughPort(database, server), server, sockets);
    server.prependListener("connection", (client) => {
      if (relay.#isCut) client.destroy();
    });
    return relay;
  }

  /** Carry nothing more on the connections there are, and close none of them. New ones work. */
  swallow(): void {
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  /** End the connections there are, and every new one, until `restore`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function targetOf(database: string): NetConnectOpts {
  const { hostname, port, searchParams } = new URL(database);
  const directory = searchParams.get("host");
  return directory
    ? { path: `${directory}/.s.PGSQL.${port || 5432}` }
    : { host: hostname, port: Number(port || 5432) };
}

function throughPort(database: string, server: Server): string {
  const address = server.address();
  const url = new URL(database);
  url.searchParams.delete("host");
  url.hostname = "127.0.0.1";
  url.port = typeof address === "object" && address ? String(address.port) : "";
  return url.href;
}

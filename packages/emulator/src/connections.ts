import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ServiceName } from "./options.ts";
import type { Router } from "./router.ts";
import { formatId, type Item, rowOf } from "./table.ts";

interface Ends {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Both ends of a socket, IPv4 peers in their plain form. */
export function endsOf(socket: Socket): Ends {
  return {
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort ?? 0,
    remoteAddress: plainAddress(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
  };
}

/** A TCP connection to one of the router's services, logged in or not. */
export class ServiceConnection implements Ends {
  readonly id: string;
  readonly service: ServiceName;
  readonly socket: Socket;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What the service reads and writes: the socket, or TLS on top of it. */
  stream: Duplex;
  #held = { inbound: false, outbound: false };

  constructor(id: string, service: ServiceName, socket: Socket) {
    this.id = id;
    this.service = service;
    this.socket = socket;
    this.stream = socket;
    const ends = endsOf(socket);
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
  }

  /** Stop or let go the bytes of each direction; what is stopped is kept. */
  hold(held: { readonly inbound: boolean; readonly outbound: boolean }): void {
    if (held.inbound && !this.#held.inbound) this.stream.pause();
    if (!held.inbound && this.#held.inbound) this.stream.resume();
    if (held.outbound && !this.#held.outbound) this.stream.cork();
    if (!held.outbound && this.#held.outbound) this.stream.uncork();
    this.#held = held;
  }
}

/** Dynamic rows start well above those of the table, so that ids of the two never meet. */
const FIRST_ID = 0x1000;

/** Open connections; RouterOS 7.19 and later lists them in `/ip/service` as dynamic rows. */
export class Connections {
  readonly #router: Router;
  readonly #open = new Map<string, ServiceConnection>();
  #nextId = FIRST_ID;

  constructor(router: Router) {
    this.#router = router;
  }

  get all(): readonly ServiceConnection[] {
    return [...this.#open.values()];
  }

  count(service: ServiceName): number {
    return this.all.filter((connection) => connection.service === service).length;
  }

  /** Take up a connection until its socket closes. */
  add(service: ServiceName, socket: Socket): ServiceConnection {
    const connection = new ServiceConnection(formatId(this.#nextId++), service, socket);
    this.#open.set(connection.id, connection);
    this.#announce("changed", connection);
    socket.once("close", () => {
      this.#open.delete(connection.id);
      this.#announce("removed", connection);
    });
    return connection;
  }

  /** Drop every connection; resolves when they, and the sessions on them, have ended. */
  async closeAll(): Promise<void> {
    const closed = this.all.map(({ socket }) => once(socket, "close"));
    for (const { socket } of this.all) socket.destroy();
    await Promise.all(closed);
    // What is layered on a socket (TLS, SSH) hears of its end after it.
    await new Promise((resolve) => setImmediate(resolve));
  }

  item(connection: ServiceConnection): Item {
    const values = rowOf({
      name: connection.service,
      port: String(connection.localPort),
      proto: "tcp",
      vrf: "main",
      local: connection.localAddress,
      remote: `${connection.remoteAddress}:${connection.remotePort}`,
      dynamic: "true",
      connection: "true",
    });
    return { id: connection.id, values, dynamic: true };
  }

  #announce(kind: "changed" | "removed", connection: ServiceConnection): void {
    if (!this.#router.features.dynamicServices) return;
    this.#router.table("/ip/service").announce({ kind, item: this.item(connection) });
  }
}

/** An IPv4 peer of a dual-stack listener shows as `::ffff:a.b.c.d`; RouterOS prints the plain form. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

import type { Socket } from "node:net";
import type { ServiceConnection } from "../connections.ts";
import type { Packet } from "../firewall/packet.ts";
import type { MenuHost } from "../menus/menu.ts";

/**
 * Whether bytes of an open connection go through. The firewall stops what comes in, a cut link both ways. Nothing
 * is lost: TCP sends again what was dropped, so held bytes arrive once the way is free, in their order.
 */
export class Gate {
  readonly #router: MenuHost;
  /** Sockets that are connected and get no answer: dropped by the firewall, for good. */
  readonly #unanswered = new Set<Socket>();
  /** Connections that came while the link was cut, and what takes them up. */
  #arriving: { socket: Socket; take: () => void }[] = [];
  #linkCut = false;

  constructor(router: MenuHost) {
    this.#router = router;
  }

  /** Call `take` for a new connection, as soon as the link lets it through. */
  arrive(socket: Socket, take: () => void): void {
    // Nobody reads the socket until it is taken up.
    if (this.#linkCut) this.#arriving.push({ socket, take });
    else take();
  }

  /** Is a connection let in? One that isn't has been dealt with: reset, or left without a byte. */
  admits(socket: Socket, packet: Packet): boolean {
    const verdict = this.#router.firewall.decide(packet);
    if (verdict === "reject") socket.resetAndDestroy();
    if (verdict === "drop" || verdict === "tarpit") this.#leaveUnanswered(socket);
    return verdict === "accept";
  }

  /** The packet after the handshake: a chain may let connections begin and drop all that follows. */
  opened(connection: ServiceConnection): void {
    const verdict = this.#router.firewall.decide(packetOf(connection, "established"));
    if (verdict === "reject") connection.socket.resetAndDestroy();
    else connection.hold({ inbound: verdict !== "accept", outbound: false });
  }

  /** Rules or lists have changed: look at every open connection again. */
  review(): void {
    for (const connection of this.#router.connections.all) this.#review(connection);
  }

  #review(connection: ServiceConnection): void {
    const verdict = this.#router.firewall.wouldDecide(packetOf(connection, "established"));
    if (verdict === "reject" && !this.#linkCut) connection.socket.resetAndDestroy();
    else connection.hold({ inbound: this.#linkCut || verdict !== "accept", outbound: this.#linkCut });
  }

  cutLink(): void {
    this.#linkCut = true;
    this.review();
  }

  restoreLink(): void {
    this.#linkCut = false;
    const arriving = this.#arriving.filter(({ socket }) => !socket.destroyed);
    this.#arriving = [];
    for (const { take } of arriving) take();
    this.review();
  }

  /** Forget whoever waits for an answer. */
  close(): void {
    for (const socket of [...this.#unanswered, ...this.#arriving.map(({ socket }) => socket)])
      socket.destroy();
    this.#arriving = [];
  }

  #leaveUnanswered(socket: Socket): void {
    this.#unanswered.add(socket);
    socket.once("close", () => this.#unanswered.delete(socket));
    // Read and thrown away, so that it is noticed when the client closes.
    socket.resume();
  }
}

type Ends = Pick<ServiceConnection, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

export function packetOf(ends: Ends, state: Packet["state"]): Packet {
  return {
    state,
    srcAddress: ends.remoteAddress,
    srcPort: ends.remotePort,
    dstAddress: ends.localAddress,
    dstPort: ends.localPort,
  };
}

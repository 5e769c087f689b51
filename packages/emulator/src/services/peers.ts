import type { Socket } from "node:net";
import { plainAddress } from "../connections.ts";
import type { ServiceName } from "../options.ts";

/** Somebody who connected to a service. */
export interface Peer {
  readonly service: ServiceName;
  readonly address: string;
  readonly port: number;
  readonly connectedAt: Date;
  /** False where the service's `address` refused the source: it was closed without a byte. */
  readonly admitted: boolean;
  /** Bytes received from it so far. */
  readonly bytesReceived: number;
  readonly open: boolean;
}

/** Older peers are forgotten. */
const MAX_PEERS = 1000;

/** Who connected to which service, refused ones included. For WinBox this is all the emulator knows of a session. */
export class Peers {
  #peers: Peer[] = [];

  add(service: ServiceName, socket: Socket, admitted: boolean): void {
    const address = plainAddress(socket.remoteAddress);
    const port = socket.remotePort ?? 0;
    const connectedAt = new Date();
    const peer: Peer = {
      service,
      address,
      port,
      connectedAt,
      admitted,
      get bytesReceived() {
        return socket.bytesRead;
      },
      get open() {
        return !socket.destroyed;
      },
    };
    this.#peers.push(peer);
    if (this.#peers.length > 2 * MAX_PEERS) this.#peers = this.#peers.slice(-MAX_PEERS);
  }

  of(service: ServiceName): readonly Peer[] {
    return this.#peers.filter((peer) => peer.service === service);
  }
}

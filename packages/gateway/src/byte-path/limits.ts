/** Times are milliseconds, sizes bytes, the rest connections. */
export interface GatewayLimits {
  /** Connections of the whole gateway; each takes two file descriptors. */
  connections: number;
  connectionsPerGrant: number;
  /** Of one grant, from one source address. */
  connectionsPerSource: number;
  /** Connections of a grant whose client has not said anything yet, `ready` and the dial included. */
  openingPerGrant: number;
  /** The same, from one source address. */
  openingPerSource: number;
  /** Connections the kernel holds for us per grant before we take them. */
  backlog: number;
  /** How long a connection waits for `Listener.ready`. */
  readyMs: number;
  /** How long the router may take to accept our connection. */
  connectMs: number;
  /** See `Connection`: how long the client may stay silent once it can be heard. */
  firstByteMs: number;
  /** Longest time without a byte in either direction. */
  idleMs: number;
  /** A client that is turned away politely gets this long to close its side. */
  lingerMs: number;
  /** Bytes waiting for a slow reader at which we stop reading from the other side. */
  bufferBytes: number;
}

/**
 * One SSH or WinBox user rarely holds more than a handful of connections (a shell, a file transfer, WinBox's
 * own extra ones): eight in all. The four that may be opening bound what silent sockets can hold, and what
 * they can make the router accept: four per `firstByteMs`. A single source never gets the last place of
 * either, so that a grant open to a whole network is not shut by one silent address in it.
 *
 * `bufferBytes`: a paused direction holds this much unsent, one more read (64 KiB), and what Node had read
 * ahead (64 KiB and one read): below 512 KiB per direction.
 */
export const defaultLimits: GatewayLimits = {
  connections: 5_000,
  connectionsPerGrant: 8,
  connectionsPerSource: 7,
  openingPerGrant: 4,
  openingPerSource: 3,
  backlog: 128,
  readyMs: 10_000,
  connectMs: 10_000,
  firstByteMs: 10_000,
  idleMs: 3_600_000,
  lingerMs: 2_000,
  bufferBytes: 256 * 1024,
};

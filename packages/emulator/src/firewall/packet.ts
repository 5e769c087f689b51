/** What a firewall rule may look at. The emulator has no packets: this is one of a TCP connection to a service. */
export interface Packet {
  /** The first packet of a connection, or one that follows it. */
  readonly state: "new" | "established";
  readonly srcAddress: string;
  readonly srcPort: number;
  readonly dstAddress: string;
  readonly dstPort: number;
}

/**
 * What becomes of it. `drop` and `tarpit` leave the client without a byte, `reject` resets the connection.
 * TCP on loopback is accepted by the kernel before anybody is asked, so a dropped client is connected and waits.
 */
export type Verdict = "accept" | "drop" | "reject" | "tarpit";

/** "SYN" of the handshake: 40 bytes of headers and 20 of options, the length RouterOS logs for one. */
export const PACKET_BYTES = 60;

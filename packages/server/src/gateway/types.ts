/** Why the owner of a grant has its listener closed. */
export type CloseReason = "revoked" | "expired" | "deleted" | "shutdown";

/**
 * Why an accepted connection ended. `client_closed` and `router_closed` name the side that ended its
 * stream first; `…_reset` the side whose socket failed; `router_unreachable` that the router was never
 * reached; `no_first_byte` that the client had nothing to say; the rest is the grant's own end.
 */
export type EndReason =
  | "client_closed"
  | "router_closed"
  | "client_reset"
  | "router_reset"
  | "router_unreachable"
  | "no_first_byte"
  | "idle"
  | CloseReason;

/** Why a connection was turned away: its source, the limits, or that the grant was not (or no more) ready. */
export type RefusalReason = "source" | "limit" | "not_ready";

/** What an accepted connection carried. Bytes are those taken from one side for the other. */
export interface ConnectionSummary {
  source: string;
  bytesToRouter: number;
  bytesFromRouter: number;
  reason: EndReason;
}

/**
 * One grant's way in, as its owner describes it. The gateway decides nothing here: it asks.
 * Every connection ends in exactly one of two ways: it is refused (`onRefused`), or it is accepted
 * (`onAccepted`) and later closed (`onClosed`). Hooks that fail are logged and change nothing.
 */
export interface Listener {
  /** Grant id. */
  id: string;
  /** Port people connect to; 0 takes a free one, which `Gateway.listeners` then names. */
  port: number;
  /** The router's service. `localAddress` is the address the connection leaves from. */
  target: { host: string; port: number; localAddress?: string };
  /** Asked before anything else happens. The source is canonical text; IPv4 in IPv6 comes as IPv4. */
  admits(sourceAddress: string): boolean;
  /**
   * Resolves once bytes may flow, rejects to refuse. The accepted connection waits, unread, for
   * `GatewayLimits.readyMs` at most; the signal aborts when it stops waiting.
   */
  ready(signal: AbortSignal): Promise<void>;
  /** `ready` resolved: the connection counts as accepted, the router is dialled now. */
  onAccepted?(source: string, at: Date): void;
  /** At most one call per source, reason and minute. */
  onRefused?(source: string, reason: RefusalReason): void;
  onClosed?(summary: ConnectionSummary): void;
}

/** A listener as it stands. `bufferedBytes` are those held in this process, both directions together. */
export interface ListenerStatus {
  id: string;
  port: number;
  connections: number;
  bufferedBytes: number;
}

/** The part of a pino logger the gateway uses. Fields never hold bytes that were carried. */
export interface GatewayLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

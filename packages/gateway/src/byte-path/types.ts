/** Why a grant's listener is closed. `unleased`: the control plane has been away for too long. */
export const CLOSE_REASONS = ["revoked", "expired", "deleted", "shutdown", "unleased"] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

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

/** Where connections of a grant go: an address that has been checked, never a name. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string | undefined;
}

/** What an accepted connection carried. Bytes are those taken from one side for the other. */
export interface ConnectionSummary {
  source: string;
  bytesToRouter: number;
  bytesFromRouter: number;
  reason: EndReason;
}

/**
 * One grant, as its owner describes it. The byte path decides nothing here: it asks.
 * Every connection ends in exactly one of two ways: it is refused (`onRefused`), or it is accepted
 * (`onAccepted`) and later closed (`onClosed`). Hooks that fail are logged and change nothing.
 */
export interface Listener {
  /** Grant id. */
  id: string;
  /** Port people connect to; 0 takes a free one, which `Gateway.listeners` then names. */
  port: number;
  /** The router's service, read when a connection is dialled. `localAddress` is the address it leaves from. */
  readonly target: Target;
  /** Asked before anything else happens. The source is canonical text; IPv4 in IPv6 comes as IPv4. */
  admits(sourceAddress: string): boolean;
  /**
   * Resolves once bytes may flow, rejects to refuse. The accepted connection waits, unread, for
   * `GatewayLimits.readyMs` at most; the signal aborts when it stops waiting.
   */
  ready(signal: AbortSignal): Promise<void>;
  /** Asked before each chunk is carried: why the grant is over, or undefined while it lasts. Must not throw. */
  over(): CloseReason | undefined;
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

import { GatewayClosedError } from "./errors.ts";
import { GrantListener } from "./grant-listener.ts";
import { defaultLimits, type GatewayLimits } from "./limits.ts";
import type { CloseReason, GatewayLog, Listener, ListenerStatus } from "./types.ts";

export interface GatewayOptions {
  /** Address people connect to; `::` takes IPv4 and IPv6. */
  listenAddress: string;
  /** What differs from `defaultLimits`. */
  limits?: Partial<GatewayLimits>;
  log: GatewayLog;
  /** Clock behind the once-a-minute rule, milliseconds, never going back. */
  nowMs?: () => number;
}

/**
 * One listening port per grant, and the bytes that pass through it. It decides nothing: who may connect, and when a
 * port opens and closes, it is told.
 */
export class Gateway implements AsyncDisposable {
  readonly #listenAddress: string;
  readonly #limits: GatewayLimits;
  readonly #log: GatewayLog;
  readonly #nowMs: () => number;
  readonly #grants = new Map<string, GrantListener>();
  #shutDown: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    this.#listenAddress = options.listenAddress;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#log = options.log;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /**
   * Listen for a grant. Opening an open grant again keeps its port and connections, and lets the new
   * description decide about connections to come; a grant that is closing is opened anew afterwards.
   * @throws PortInUseError nothing listens
   * @throws ListenerConflictError the grant is open on another port and stays so
   * @throws GatewayClosedError after `shutdown`
   */
  async open(listener: Listener): Promise<void> {
    if (this.#shutDown) throw new GatewayClosedError();
    const known = this.#grants.get(listener.id);
    if (known?.closing) {
      await known.closing;
      this.#forget(listener.id, known);
      return this.open(listener);
    }
    if (known) {
      known.redefine(listener);
      return known.opened;
    }
    const grant = new GrantListener(listener, {
      listenAddress: this.#listenAddress,
      limits: this.#limits,
      log: this.#log,
      connectionCount: () => this.#connectionCount(),
      nowMs: this.#nowMs,
    });
    this.#grants.set(listener.id, grant);
    try {
      await grant.opened;
    } catch (error) {
      this.#forget(listener.id, grant);
      throw error;
    }
  }

  /**
   * Close a grant's port and cut its connections, whoever does not read: when this resolves, not a byte
   * passes any more. A grant that is not open is closed already.
   */
  async close(id: string, reason: CloseReason): Promise<void> {
    const grant = this.#grants.get(id);
    if (!grant) return;
    await grant.close(reason);
    this.#forget(id, grant);
  }

  /** The open grants, with the ports they really have. */
  listeners(): readonly ListenerStatus[] {
    return [...this.#grants.values()].map((grant) => grant.status());
  }

  /** Close every grant, for good. Later calls join the first. */
  shutdown(): Promise<void> {
    this.#shutDown ??= Promise.all([...this.#grants.keys()].map((id) => this.close(id, "shutdown"))).then(
      () => {},
    );
    return this.#shutDown;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #forget(id: string, grant: GrantListener): void {
    if (this.#grants.get(id) === grant) this.#grants.delete(id);
  }

  #connectionCount(): number {
    let count = 0;
    for (const grant of this.#grants.values()) count += grant.connectionCount;
    return count;
  }
}

import { setTimeout as delay } from "node:timers/promises";
import type { CloseReason, ConnectionSummary, Listener, RefusalReason, Target } from "./byte-path/types.ts";
import { type Clock, Deadline } from "./clock.ts";
import type { Lease } from "./lease.ts";
import type { ConnectionEvent, OpenMessage } from "./messages.ts";
import { admission } from "./sources.ts";

/** How often a waiting connection looks whether it may go on, should nobody tell it. */
const READY_POLL_MS = 20;

/** One grant as the gateway holds it: what the byte path asks about it, and what is told of its connections. */
export class HeldGrant implements Listener {
  readonly id: string;
  readonly port: number;
  readonly end: Deadline;
  /** By the database's clock. */
  readonly endsAtMs: number;
  readonly #lease: Lease;
  readonly #tell: (grant: HeldGrant, event: ConnectionEvent) => void;
  fence: number;
  /** Why it is over, from the moment that is decided. */
  closing: CloseReason | undefined;
  connections = 0;
  /** Of the connections that are over. */
  bytes = 0;
  #target: Target | undefined;
  #admits: (source: string) => boolean;
  #ready = false;

  constructor(
    message: OpenMessage,
    leftMs: number,
    clock: Clock,
    lease: Lease,
    tell: (grant: HeldGrant, event: ConnectionEvent) => void,
  ) {
    this.id = message.grant;
    this.port = message.port;
    this.end = new Deadline(clock, leftMs);
    this.endsAtMs = message.endsAtMs;
    this.fence = message.fence;
    this.#lease = lease;
    this.#tell = tell;
    this.#admits = admission(message.sources);
    this.redefine(message);
  }

  /** What the control plane says of it now. Its end is another matter: see `end`. */
  redefine({ fence, target, sources, ready }: OpenMessage): void {
    this.fence = fence;
    this.#target = target ?? this.#target;
    this.#admits = admission(sources);
    if (ready) this.becomeReady();
  }

  /** The router's user is there. */
  becomeReady(): void {
    this.#ready = true;
  }

  get target(): Target {
    if (!this.#target) throw new Error("where the grant leads is not known yet");
    return this.#target;
  }

  admits(source: string): boolean {
    return this.#admits(source);
  }

  over(): CloseReason | undefined {
    if (this.closing) return this.closing;
    if (this.end.passed) return "expired";
    return this.#lease.carries ? undefined : "unleased";
  }

  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      const over = this.over();
      if (over) throw new Error(`the access is over: ${over}`);
      if (!this.#lease.beginsConnections) throw new Error("the control plane is away");
      if (this.#ready && this.#target) return;
      await delay(READY_POLL_MS, undefined, { signal });
    }
  }

  onAccepted(source: string): void {
    this.connections++;
    this.#tell(this, { kind: "connected", source });
  }

  onRefused(source: string, reason: RefusalReason): void {
    this.#tell(this, { kind: "refused", source, reason });
  }

  onClosed(summary: ConnectionSummary): void {
    this.connections--;
    this.bytes += summary.bytesToRouter + summary.bytesFromRouter;
    this.#tell(this, { kind: "disconnected", ...summary });
  }
}

/**
 * All grants the gateway holds. Ends of grants are kept here and nowhere else: a timer for each, on our own clocks, and
 * nothing between the timer and the cut that could wait.
 */
import { Gateway } from "./byte-path/gateway.ts";
import type { GatewayLimits } from "./byte-path/limits.ts";
import type { CloseReason, GatewayLog, ListenerStatus } from "./byte-path/types.ts";
import type { Clock } from "./clock.ts";
import type { DatabaseClock } from "./database-clock.ts";
import { HeldGrant } from "./held-grant.ts";
import type { Lease } from "./lease.ts";
import type { GatewayMemory } from "./memory.ts";
import type { OpenMessage } from "./messages.ts";
import type { NewReport } from "./reports.ts";

/** No access lasts longer than a day: what is remembered of one whose end is not known. */
const LONGEST_GRANT_MS = 86_400_000;

export interface HeldGrantsOptions {
  readonly listenAddress: string;
  readonly limits: Partial<GatewayLimits>;
  /** Ports it may listen on. */
  readonly ports: { readonly first: number; readonly last: number } | undefined;
  readonly clock: Clock;
  readonly databaseClock: DatabaseClock;
  readonly lease: Lease;
  readonly memory: GatewayMemory;
  readonly log: GatewayLog;
  readonly report: (report: NewReport) => void;
}

export class HeldGrants implements AsyncDisposable {
  readonly #options: HeldGrantsOptions;
  readonly #gateway: Gateway;
  readonly #held = new Map<string, HeldGrant>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Ended ones whose report may still be under way: they stay ended, whatever the control plane believes. */
  readonly #over = new Map<string, { reason: CloseReason; by: string | undefined }>();

  constructor(options: HeldGrantsOptions) {
    this.#options = options;
    const { listenAddress, limits, log, clock } = options;
    this.#gateway = new Gateway({ listenAddress, limits, log, nowMs: () => clock.monotonicMs() });
  }

  /**
   * Hold a grant, or take what is said of it now. Its end can only come nearer.
   * @returns whether it is open: its port is ours and remembered
   * @throws the port can't be listened on, or the journal not be written; nothing is open then
   */
  async open(message: OpenMessage): Promise<boolean> {
    const left = this.#leftMs(message);
    const known = this.#held.get(message.grant);
    if (known && message.fence < known.fence) return false;
    const over = this.#endedBefore(message.grant);
    if (over) return this.#stayClosed(message, over);
    if (known?.closing) {
      await this.#cut(known, known.closing);
      return this.open(message);
    }
    if (known) {
      known.redefine(message);
      known.end.shorten(left);
      this.#schedule(known);
      await this.#gateway.open(known);
      return known.closing === undefined;
    }
    if (left <= 0) return this.#stayClosed(message, { reason: "expired", by: undefined });
    this.#checkPort(message.port);
    return this.#openNew(message, left);
  }

  /** Close it now: when this resolves, not a byte passes any more. @returns whether the journal knows */
  async close(
    grant: string,
    fence: number,
    reason: CloseReason,
    by?: string,
  ): Promise<{ journaled: boolean } | undefined> {
    const held = this.#held.get(grant);
    if (held && fence < held.fence) return undefined;
    const closed = held ? this.#end(held, reason, by) : this.#refuseUnopened(grant, fence, reason, by);
    return { journaled: await closed };
  }

  becomeReady(grant: string, fence: number): void {
    const held = this.#held.get(grant);
    if (held && fence >= held.fence) held.becomeReady();
  }

  /** Close what the control plane does not name: its site is forgotten. */
  keepOnly(grants: ReadonlySet<string>): void {
    for (const held of this.#held.values()) {
      if (!grants.has(held.id)) void this.#end(held, "deleted");
    }
  }

  /** End everything without a word to the control plane, which will open again what is to go on. */
  async drop(reason: "unleased" | "deleted" | "shutdown"): Promise<void> {
    const all = [...this.#held.values()];
    for (const held of all) held.closing ??= reason;
    await Promise.all(all.map((held) => this.#cut(held, reason)));
  }

  listeners(): readonly ListenerStatus[] {
    return this.#gateway.listeners();
  }

  get size(): number {
    return this.#held.size;
  }

  /** The control plane has recorded that it is over. */
  forgetEnded(grant: string): void {
    this.#over.delete(grant);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop("shutdown");
    await this.#gateway.shutdown();
  }

  /** What is left by every clock there is. Only a grant never opened before may count from a clock that was set back. */
  #leftMs({ endsInMs, endsAtMs, sequence }: OpenMessage): number {
    const { databaseClock, memory } = this.#options;
    const now = sequence > memory.sequence ? databaseClock.currentMs : databaseClock.highestMs;
    return Math.min(endsInMs, endsAtMs - now);
  }

  #endedBefore(grant: string) {
    return this.#over.get(grant) ?? this.#options.memory.endedBefore(grant);
  }

  #stayClosed(message: OpenMessage, { reason, by }: { reason: CloseReason; by: string | undefined }): false {
    this.#options.report({
      grant: message.grant,
      fence: message.fence,
      connections: 0,
      bytes: 0,
      closed: { reason, ...(by !== undefined && { by }) },
    });
    return false;
  }

  #checkPort(port: number): void {
    const { ports } = this.#options;
    if (ports && (port < ports.first || port > ports.last))
      throw new Error(`port ${port} is outside ${ports.first}-${ports.last}, which this gateway may use`);
  }

  async #openNew(message: OpenMessage, leftMs: number): Promise<boolean> {
    const { clock, lease, report, memory, databaseClock } = this.#options;
    const held = new HeldGrant(message, leftMs, clock, lease, ({ id, fence, connections, bytes }, event) =>
      report({ grant: id, fence, connections, bytes, event }),
    );
    this.#held.set(held.id, held);
    this.#schedule(held);
    try {
      await Promise.all([this.#gateway.open(held), memory.opened(message.sequence, databaseClock.highestMs)]);
    } catch (error) {
      await this.#cut(held, "shutdown");
      throw error;
    }
    return held.closing === undefined;
  }

  /** End what is over by a clock no timer follows: the wall clock, after a suspended host or one that was set. */
  sweep(): void {
    for (const held of this.#held.values()) if (held.end.passed) void this.#end(held, "expired");
  }

  #schedule(held: HeldGrant): void {
    clearTimeout(this.#timers.get(held.id));
    if (held.closing) return;
    // Up, or the timer would look a fraction of a millisecond before the end.
    const left = Math.ceil(Math.max(0, held.end.leftMs));
    const look = () => {
      if (held.end.passed) void this.#end(held, "expired");
      else this.#schedule(held);
    };
    this.#timers.set(held.id, setTimeout(look, left));
  }

  /** Cut, remember, report. @returns whether the journal knows */
  async #end(held: HeldGrant, reason: CloseReason, by?: string): Promise<boolean> {
    const first = held.closing === undefined;
    held.closing ??= reason;
    const cut = this.#cut(held, reason);
    this.#over.set(held.id, { reason: held.closing, by });
    const journaled = this.#remember(held, reason, by);
    await cut;
    const known = await journaled;
    if (first)
      this.#options.report({
        grant: held.id,
        fence: held.fence,
        connections: 0,
        bytes: held.bytes,
        closed: { reason, ...(by !== undefined && { by }) },
      });
    return known;
  }

  async #cut(held: HeldGrant, reason: CloseReason): Promise<void> {
    clearTimeout(this.#timers.get(held.id));
    await this.#gateway.close(held.id, reason);
    if (this.#held.get(held.id) === held) {
      this.#held.delete(held.id);
      this.#timers.delete(held.id);
    }
  }

  /** An end that the database's clock brings anyway is not written down, but the time is: it must not come again. */
  #remember(held: HeldGrant, reason: CloseReason, by: string | undefined): Promise<boolean> {
    const { memory, databaseClock } = this.#options;
    const now = databaseClock.highestMs;
    const early = held.endsAtMs > now;
    return this.#written(
      held.id,
      early ? memory.ended(held.id, { reason, by, endsAtMs: held.endsAtMs }, now) : memory.passed(now),
    );
  }

  /** A grant may be revoked before its `open` has come: it must not be opened by it, now or after a restart. */
  async #refuseUnopened(
    grant: string,
    fence: number,
    reason: CloseReason,
    by: string | undefined,
  ): Promise<boolean> {
    const { memory, databaseClock, report } = this.#options;
    const now = databaseClock.highestMs;
    const known = reason === "expired" || memory.endedBefore(grant) !== undefined;
    const endsAtMs = now + LONGEST_GRANT_MS;
    const journaled =
      known || (await this.#written(grant, memory.ended(grant, { reason, by, endsAtMs }, now)));
    const closed = { reason, ...(by !== undefined && { by }) };
    report({ grant, fence, connections: 0, bytes: 0, closed });
    return journaled;
  }

  #written(grant: string, write: Promise<void>): Promise<boolean> {
    return write.then(
      () => true,
      (err) => {
        this.#options.log.warn({ err, grant }, "the end of a grant could not be written to the journal");
        return false;
      },
    );
  }
}

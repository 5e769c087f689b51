/** A gateway at work: its journal, the grants it holds, and the channel to the control plane that tells it of them. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { GatewayLimits } from "./byte-path/limits.ts";
import type { GatewayLog, ListenerStatus } from "./byte-path/types.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ControlAddress } from "./control-address.ts";
import { ControlClient } from "./control-client.ts";
import { DatabaseClock } from "./database-clock.ts";
import { HeldGrants } from "./held-grants.ts";
import { Lease, type LeaseTimes, leaseTimes } from "./lease.ts";
import { lockDirectory } from "./lock.ts";
import { GatewayMemory } from "./memory.ts";
import type { ToControl, ToGateway } from "./messages.ts";
import { type NewReport, Reports } from "./reports.ts";

/** How often the clocks are looked at beside the timers, milliseconds. */
const SWEEP_MS = 1_000;
/** How often the journal is told the time, milliseconds: what a restart with a clock set back could give away. */
const REMEMBER_TIME_MS = 10_000;

export interface GatewayStartOptions {
  readonly control: ControlAddress;
  /** The gateway's own. */
  readonly token: string;
  /** Address people connect to; `::` takes IPv4 and IPv6. */
  readonly listenAddress: string;
  /** Ports it may listen on, whatever it is told; any unless given. */
  readonly ports?: { readonly first: number; readonly last: number } | undefined;
  /** Where its journal lives, outside the database: one gateway per directory. */
  readonly stateDir: string;
  readonly log: GatewayLog;
  readonly limits?: Partial<GatewayLimits> | undefined;
  readonly lease?: Partial<LeaseTimes> | undefined;
  readonly clock?: Clock | undefined;
  readonly heartbeatMs?: number | undefined;
}

export interface RunningGateway extends AsyncDisposable {
  /** Why it does not do its work; undefined while it does. */
  readonly problem: string | undefined;
  listeners(): readonly ListenerStatus[];
}

/**
 * Start a gateway. It dials the control plane until it is closed; nothing is open before the first answer.
 * @throws another gateway uses the state directory, or the directory can't be used
 */
export async function startGateway(options: GatewayStartOptions): Promise<RunningGateway> {
  await using starting = new AsyncDisposableStack();
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  starting.use(await lockDirectory(options.stateDir));
  const path = join(options.stateDir, "gateway.journal");
  const memory = starting.use(
    await GatewayMemory.open(path, (aside) =>
      options.log.warn({ aside }, "the journal could not be read and was put aside; a new one begins"),
    ),
  );
  const agent = starting.use(new GatewayAgent(options, memory));
  const running = starting.move();
  return {
    get problem() {
      return agent.problem;
    },
    listeners: () => agent.listeners(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What the control plane says, done; what becomes of it, said. */
class GatewayAgent implements AsyncDisposable {
  readonly #memory: GatewayMemory;
  readonly #log: GatewayLog;
  readonly #clock: Clock;
  readonly #databaseClock: DatabaseClock;
  readonly #lease: Lease;
  readonly #grants: HeldGrants;
  readonly #reports = new Reports();
  readonly #client: ControlClient;
  readonly #instance = randomUUID();
  readonly #timers: readonly NodeJS.Timeout[];
  /** Grants named since the last welcome. */
  #named = new Set<string>();
  /** Whether everything we are to hold has been named since the channel stands. */
  #listed = false;
  #hadLease = false;

  constructor(options: GatewayStartOptions, memory: GatewayMemory) {
    const times = { ...leaseTimes, ...options.lease };
    const clock = options.clock ?? systemClock;
    this.#memory = memory;
    this.#log = options.log;
    this.#clock = clock;
    this.#databaseClock = new DatabaseClock(clock, memory.databaseTimeMs);
    this.#lease = new Lease(clock, times);
    this.#grants = new HeldGrants({
      listenAddress: options.listenAddress,
      limits: options.limits ?? {},
      ports: options.ports,
      clock,
      databaseClock: this.#databaseClock,
      lease: this.#lease,
      memory,
      log: options.log,
      report: (report) => this.#report(report),
    });
    this.#client = new ControlClient({
      address: options.control,
      token: options.token,
      log: options.log,
      heartbeatMs: options.heartbeatMs,
      onOpen: () => this.#hello(),
      onMessage: (message) => this.#receive(message),
    });
    this.#timers = [
      setInterval(() => this.#renew(), times.leaseMs / 3),
      setInterval(() => this.#sweep(), SWEEP_MS),
      setInterval(() => this.#rememberTime(), REMEMBER_TIME_MS),
    ];
  }

  get problem(): string | undefined {
    if (!this.#lease.beginsConnections) return "has not heard from the control plane";
    return this.#listed ? undefined : "is being told what to open";
  }

  listeners(): readonly ListenerStatus[] {
    return this.#grants.listeners();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    // First the bytes, then the channel: what ended is still reported.
    await this.#grants[Symbol.asyncDispose]();
    await this.#client[Symbol.asyncDispose]();
  }

  #hello(): void {
    const { id, system, sequence } = this.#memory;
    this.#listed = false;
    this.#named = new Set();
    this.#say({ type: "hello", instance: this.#instance, journal: { id, system: system ?? null, sequence } });
  }

  #receive(message: ToGateway): void {
    this.#do(message).catch((err) =>
      this.#log.warn({ err, type: message.type }, "a message could not be followed"),
    );
  }

  async #do(message: ToGateway): Promise<void> {
    switch (message.type) {
      case "welcome":
        return this.#begin(message);
      case "lease":
        this.#databaseClock.observe(message.askedAtMs, message.databaseTimeMs);
        this.#lease.renew(message.askedAtMs);
        this.#hadLease = true;
        return;
      case "open":
        this.#named.add(message.grant);
        return this.#open(message);
      case "ready":
        return this.#grants.becomeReady(message.grant, message.fence);
      case "close":
        return this.#close(message);
      case "listed":
        this.#grants.keepOnly(this.#named);
        this.#listed = true;
        return;
      case "recorded":
        for (const { grant, closed } of this.#reports.recorded(message.upTo))
          if (closed) this.#grants.forgetEnded(grant);
    }
  }

  async #begin({ system, sequence, restored }: Extract<ToGateway, { type: "welcome" }>): Promise<void> {
    // Before anything is awaited: the control plane goes on talking.
    const dropped = restored ? this.#grants.drop("deleted") : undefined;
    const known = restored || this.#memory.system === undefined;
    const served = this.#memory.serve(system, known ? sequence : this.#memory.sequence);
    for (const report of this.#reports.unrecorded) this.#say(report);
    this.#renew();
    await dropped;
    await served;
  }

  async #open(message: Extract<ToGateway, { type: "open" }>): Promise<void> {
    const { grant, fence } = message;
    try {
      if (await this.#grants.open(message)) this.#say({ type: "opened", grant, fence });
    } catch (error) {
      const problem = (error instanceof Error ? error.message : String(error)).slice(0, 500);
      this.#log.warn({ err: error, grant, port: message.port }, "could not open a gateway port");
      this.#say({ type: "failed", grant, fence, problem });
    }
  }

  async #close({ grant, fence, reason, by }: Extract<ToGateway, { type: "close" }>): Promise<void> {
    const closed = await this.#grants.close(grant, fence, reason, by);
    if (closed) this.#say({ type: "closed", grant, fence, ...closed });
  }

  #renew(): void {
    this.#say({
      type: "renew",
      askedAtMs: this.#clock.monotonicMs(),
      sequence: this.#memory.sequence,
    });
  }

  #sweep(): void {
    this.#grants.sweep();
    if (!this.#hadLease || this.#lease.carries) return;
    this.#hadLease = false;
    this.#log.warn(
      { grants: this.#grants.size },
      "the control plane has been away for too long: all is closed",
    );
    void this.#grants.drop("unleased");
    // It is to tell everything again, also where the channel still stands.
    this.#client.reconnect();
  }

  #rememberTime(): void {
    if (!this.#databaseClock.isKnown) return;
    this.#memory
      .passed(this.#databaseClock.highestMs)
      .catch((err) => this.#log.warn({ err }, "the journal could not be written"));
  }

  #report(report: NewReport): void {
    const numbered = this.#reports.add(report);
    if (numbered) this.#say(numbered);
  }

  #say(message: ToControl): void {
    this.#client.send(message);
  }
}

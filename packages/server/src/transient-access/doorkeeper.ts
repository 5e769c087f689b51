/**
 * The doors of the gateway: opens a listener for every open grant, closes those of ended ones, and answers the
 * gateway's question whether a connection may pass. It decides; the gateway carries bytes.
 *
 * Level-triggered: each run reads all unfinished grants and makes the listeners match, on notification, every few
 * seconds, and at the moment the next grant expires (measured by the database, timed here on the monotonic clock).
 * A restart rebuilds everything from the table. Without the database no new connection passes, because each asks it;
 * those that stand are cut when it has been away for the grace time.
 */
import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { record } from "../audit/index.ts";
import { TaskRunner } from "../background/index.ts";
import type { Database } from "../database/index.ts";
import type { ConnectionSummary, Gateway, RefusalReason } from "../gateway/index.ts";
import type { AddressRules, SiteService } from "../sites/index.ts";
import { admission } from "./sources.ts";
import { type GatewayGrant, stamp, stateOf, unfinishedOnGateway } from "./store.ts";

const PERIOD_MS = 5_000;
/** How often a waiting connection asks whether the router's user is there. */
const COMMIT_POLL_MS = 50;
/** How long an answer is held back until its grant's listener stands or is gone. */
const MOVE_MS = 2_000;
/** After a run that could not read the grants. */
const RETRY_MS = 500;
/** How long standing connections survive without the database. */
const GRACE_MS = 60_000;

export interface DoorkeeperOptions {
  readonly database: Database;
  readonly gateway: Gateway;
  readonly sites: SiteService;
  readonly addresses: AddressRules;
  readonly localAddress: string | undefined;
  readonly log: Logger;
}

export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #runner: TaskRunner;
  /** `opened <grant id>` and `closed <grant id>`, each time a run has found or made it so. */
  readonly #moves = new EventEmitter();
  #timer: NodeJS.Timeout | undefined;
  /** Monotonic, milliseconds; undefined before the first time. */
  #lastSynced: number | undefined;
  /** When each unfinished grant ends, on the same clock. */
  #ends: ReadonlyMap<string, number> = new Map();

  constructor(options: DoorkeeperOptions) {
    this.#options = options;
    const run = async () => {
      await this.#sync();
      return { state: "done" } as const;
    };
    this.#runner = new TaskRunner(
      {
        name: "grants",
        claim: "none",
        periodMs: PERIOD_MS,
        concurrency: 1,
        list: async () => ["grants"],
        run,
      },
      { log: options.log },
    );
  }

  start(): void {
    this.#runner.start();
  }

  /** Grants may have changed. */
  wake(): void {
    this.#runner.wake("grants");
  }

  /** Resolves when the grant's listener stands. A port that can't be opened is not waited for longer than the bound. */
  opened(id: string): Promise<void> {
    return this.#awaitMove(`opened ${id}`);
  }

  /** Resolves when the grant's listener is gone and marked so, or after the bound. */
  closed(id: string): Promise<void> {
    return this.#awaitMove(`closed ${id}`);
  }

  async #awaitMove(move: string): Promise<void> {
    const moved = once(this.#moves, move, { signal: AbortSignal.timeout(MOVE_MS) });
    this.wake();
    await moved.catch(() => {});
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#runner.stop();
  }

  /** Why the doors are not known to be right; undefined when they are. */
  get problem(): string | undefined {
    return this.#ageMs() > 3 * PERIOD_MS ? "has not been able to read the grants" : undefined;
  }

  #ageMs(): number {
    return this.#lastSynced === undefined ? Number.POSITIVE_INFINITY : performance.now() - this.#lastSynced;
  }

  async #sync(): Promise<void> {
    const { database, gateway } = this.#options;
    let grants: GatewayGrant[];
    try {
      grants = await database.asSystem(unfinishedOnGateway);
    } catch (error) {
      await this.#closeWithoutDatabase();
      this.#wakeIn(RETRY_MS);
      throw error;
    }
    this.#lastSynced = performance.now();
    this.#ends = new Map(grants.map(({ id, seconds_left }) => [id, performance.now() + seconds_left * 1000]));
    const known = new Set(grants.map(({ id }) => id));
    const orphans = gateway.listeners().filter(({ id }) => !known.has(id)); // their site was forgotten
    await Promise.all([
      ...orphans.map(({ id }) => gateway.close(id, "deleted")),
      ...grants.map((grant) => (grant.is_open ? this.#open(grant) : this.#close(grant))),
    ]);
    this.#awaitExpiry(grants);
  }

  async #open(grant: GatewayGrant): Promise<void> {
    try {
      await this.#options.gateway.open({
        id: grant.id,
        port: grant.port,
        target: await this.#target(grant),
        admits: admission(grant),
        ready: (signal) => this.#ready(grant.id, signal),
        onAccepted: (source) => this.#note(grant, "access.connected", { source }),
        onRefused: (source, reason) => this.#note(grant, "access.refused", { source, reason }),
        onClosed: (summary) => this.#note(grant, "access.disconnected", { ...summary }),
      });
      this.#moves.emit(`opened ${grant.id}`);
    } catch (error) {
      // A port that another program holds, or a name that does not resolve, must not keep the other doors shut.
      this.#options.log.error(
        { err: error, grant: grant.id, port: grant.port },
        "could not open a gateway port",
      );
    }
  }

  async #close(grant: GatewayGrant): Promise<void> {
    const { gateway, database, sites } = this.#options;
    const revoked = grant.revoked_at !== null;
    await gateway.close(grant.id, revoked ? "revoked" : "expired");
    await database.asSystem(async (trx) => {
      const [first] = await stamp(trx, [grant.id], "removed_from_gateway_at");
      if (first === undefined) return;
      await record(
        trx,
        { kind: "system", part: "gateway" },
        {
          customerId: grant.customer_id,
          action: revoked ? "access.closed" : "access.expired",
          subjectType: "transient_access",
          subjectId: grant.id,
          siteId: grant.site_id,
        },
      );
      await sites.bumpGeneration(trx, [grant.site_id]); // the router's user has to go
    });
    this.#moves.emit(`closed ${grant.id}`);
  }

  /** What has expired by the last known times ends on time; when the grace is over everything does. */
  async #closeWithoutDatabase(): Promise<void> {
    const { gateway, log } = this.#options;
    const now = this.#ageMs() > GRACE_MS ? Number.POSITIVE_INFINITY : performance.now();
    const over = gateway.listeners().filter(({ id }) => (this.#ends.get(id) ?? 0) <= now);
    if (over.length > 0)
      log.error({ listeners: over.length }, "the database is away: closing access that can't be proven");
    await Promise.all(over.map(({ id }) => gateway.close(id, "expired")));
  }

  /** Be back at the moment the next grant ends. One millisecond late rather than early. */
  #awaitExpiry(grants: readonly GatewayGrant[]): void {
    const next = Math.min(...grants.filter(({ is_open }) => is_open).map(({ seconds_left }) => seconds_left));
    if (next === Number.POSITIVE_INFINITY) clearTimeout(this.#timer);
    else this.#wakeIn(Math.max(0, Math.ceil(next * 1000)) + 1);
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), ms);
  }

  /** Where the grant leads now: the address is resolved and checked afresh, the port is that of the site's policy. */
  async #target(grant: GatewayGrant) {
    const { addresses, localAddress } = this.#options;
    const host = await addresses.resolve(grant.address);
    const port = grant.services[grant.type]?.port;
    if (port === undefined) throw new Error(`the policy names no ${grant.type} service`);
    return localAddress === undefined ? { host, port } : { host, port, localAddress };
  }

  /** Wait until the router's user exists. @throws when the grant has ended */
  async #ready(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const state = await this.#options.database.asSystem((trx) => stateOf(trx, id));
      if (!state?.isOpen) throw new Error("the access has ended");
      if (state.committed) return;
      await delay(COMMIT_POLL_MS, undefined, { signal });
    }
  }

  #note(
    grant: GatewayGrant,
    action: string,
    detail: { source: string; reason?: RefusalReason } | ConnectionSummary,
  ): void {
    const { database, log } = this.#options;
    database
      .asSystem(async (trx) => {
        if (action === "access.connected") await stamp(trx, [grant.id], "authorized_at");
        await record(
          trx,
          { kind: "system", part: "gateway" },
          {
            customerId: grant.customer_id,
            action,
            subjectType: "transient_access",
            subjectId: grant.id,
            siteId: grant.site_id,
            detail: { ...detail },
          },
        );
      })
      .catch((error) =>
        log.error({ err: error, grant: grant.id, action }, "could not record a gateway event"),
      );
  }
}

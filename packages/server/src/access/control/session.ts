/**
 * One gateway's channel, at the control plane's end: what it was told, and what it said.
 *
 * A change of one grant reads that grant and tells the difference; the whole list is read at the beginning and, as a
 * safety net, once a minute. Closing waits for nothing that opening waits for: no read, no name.
 */
import { EventEmitter, once } from "node:events";
import type { OpenMessage, ToControl, ToGateway } from "@portreeve/gateway";
import type { Logger } from "pino";
import type { Database, Trx } from "../../database/index.ts";
import type { SiteService } from "../../sites/index.ts";
import { claimGateway, GatewayHeldError, releaseLease, renewLease, takeGrants } from "./lease.ts";
import { Recorder } from "./recorder.ts";
import { type GatewayGrant, pageOfGrants, someGrants } from "./store.ts";
import type { Targets } from "./targets.ts";

/** Grants read at once. */
const PAGE = 500;
/** After a read that failed, and for a port that could not be opened, milliseconds. */
const RETRY_MS = 2_000;

export interface SessionOptions {
  readonly gatewayId: string;
  readonly database: Database;
  readonly sites: SiteService;
  readonly targets: Targets;
  readonly log: Logger;
  readonly send: (message: ToGateway) => void;
  /** End the channel. @param code of the WebSocket protocol */
  readonly end: (code: number, reason: string) => void;
  /** A grant's port stands. */
  readonly onOpened: (grantId: string) => void;
}

/** A grant the gateway was told of. */
export interface ToldGrant {
  readonly customerId: string;
  readonly siteId: string;
  /** Of the site, as its owner wrote it. */
  readonly address: string;
  readonly message: OpenMessage;
  state: "told" | "open" | "failed" | "closing";
}

export class GatewaySession {
  readonly gatewayId: string;
  readonly #options: SessionOptions;
  readonly #told = new Map<string, ToldGrant>();
  /** `opened <grant>` and `closed <grant>`. */
  readonly #answers = new EventEmitter().setMaxListeners(0);
  readonly #timers: NodeJS.Timeout[] = [];
  /** Grants that may have changed, to be read. */
  #changed = new Set<string>();
  #reading: Promise<void> | undefined;
  #comparing: Promise<void> | undefined;
  #compareAgain = false;
  #recorder: Recorder | undefined;
  #instance: string | undefined;
  #fence = 0;
  #ended = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.gatewayId = options.gatewayId;
  }

  /** Whether it holds its gateway. */
  get works(): boolean {
    return this.#recorder !== undefined && !this.#ended;
  }

  receive(message: ToControl): void {
    const done = this.#do(message);
    done.catch((err) => {
      this.#options.log.error(
        { err, gateway: this.gatewayId, type: message.type },
        "a gateway's message failed",
      );
      if (message.type === "hello") this.#options.end(1011, "try again");
    });
  }

  /** These grants may have changed. */
  look(grantIds: Iterable<string>): void {
    for (const id of grantIds) this.#changed.add(id);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  /** Grants of this site may have changed: where they lead, or whether they still are. */
  lookAtSite(siteId: string): void {
    const ids = [...this.#told].filter(([, told]) => told.siteId === siteId).map(([id]) => id);
    if (ids.length > 0) this.look(ids);
  }

  /** Compare everything the gateway was told with the database; again afterwards, when one comparison is under way. */
  compare(): void {
    if (!this.works) return;
    this.#compareAgain = this.#comparing !== undefined;
    this.#comparing ??= this.#compareNow();
  }

  async #compareNow(): Promise<void> {
    try {
      do {
        this.#compareAgain = false;
        await this.#list();
      } while (this.#compareAgain && this.works);
    } catch (err) {
      this.#options.log.error(
        { err, gateway: this.gatewayId },
        "could not compare a gateway's grants; trying again",
      );
      setTimeout(() => this.compare(), RETRY_MS).unref();
    } finally {
      this.#comparing = undefined;
    }
  }

  /** What the gateway was told of a grant; undefined when it does not hold it. */
  told(grantId: string): ToldGrant | undefined {
    return this.#told.get(grantId);
  }

  /** Resolves when the gateway says that the port stands. @throws when the signal aborts */
  async opened(grantId: string, signal: AbortSignal): Promise<void> {
    if (this.#told.get(grantId)?.state === "open") return;
    const opened = once(this.#answers, `opened ${grantId}`, { signal });
    this.look([grantId]);
    await opened;
  }

  /**
   * Close a grant. When it resolves, the gateway has said that not a byte passes any more.
   * @throws when the signal aborts
   */
  async close(grantId: string, by: string | undefined, signal: AbortSignal): Promise<void> {
    const closed = once(this.#answers, `closed ${grantId}`, { signal });
    this.#sayClose(grantId, "revoked", by);
    await closed;
  }

  /** The channel is gone. @param orderly the gateway said so itself, after it had closed everything */
  async ended(orderly: boolean): Promise<void> {
    this.#ended = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#recorder?.stop();
    const instance = this.#instance;
    if (orderly && instance !== undefined)
      await this.#options.database
        .asSystem((trx) => releaseLease(trx, this.gatewayId, instance))
        .catch((err) => this.#options.log.warn({ err }, "could not give a gateway's lease back"));
  }

  async #do(message: ToControl): Promise<void> {
    if (message.type === "hello") return this.#begin(message);
    if (!this.works) return;
    switch (message.type) {
      case "renew":
        return this.#renew(message);
      case "opened":
        return this.#opened(message.grant, message.fence);
      case "failed": {
        const told = this.#told.get(message.grant);
        if (told) told.state = "failed";
        const { problem, grant } = message;
        this.#options.log.error({ gateway: this.gatewayId, grant, problem }, "could not open a gateway port");
        return;
      }
      case "closed":
        this.#told.delete(message.grant);
        this.#answers.emit(`closed ${message.grant}`);
        return;
      case "report":
        if (message.closed) this.#told.delete(message.grant);
        if (message.event?.kind === "disconnected" && message.event.reason === "router_unreachable")
          this.#resolveAgain(message.grant);
        this.#recorder?.add(message);
    }
  }

  async #begin({ instance, journal }: Extract<ToControl, { type: "hello" }>): Promise<void> {
    const { database, sites, log, send, end } = this.#options;
    if (this.#instance !== undefined) return end(1008, "hello was said before");
    this.#instance = instance;
    try {
      const claimed = await database.asSystem((trx) =>
        claimGateway(trx, sites, this.gatewayId, { instance, journal }),
      );
      const { fence, system, sequence, restored, ended } = claimed;
      if (restored)
        log.error(
          { gateway: this.gatewayId, ended },
          "the database is not the one this gateway's journal knows, or an older state of it: no access of before is opened again",
        );
      this.#fence = fence;
      if (this.#ended) return;
      send({ type: "welcome", fence, system, sequence, restored });
    } catch (error) {
      if (error instanceof GatewayHeldError) return end(4409, "another process holds this gateway");
      throw error;
    }
    const from = { gatewayId: this.gatewayId, instance };
    this.#recorder = new Recorder({
      database,
      sites,
      log,
      from,
      recorded: (reports) => send({ type: "recorded", upTo: reports.at(-1)?.report ?? 0 }),
      superseded: () => end(4409, "another process holds this gateway"),
    });
    await this.#list();
    send({ type: "listed" });
    this.#timers.push(setInterval(() => this.#tryFailed(), RETRY_MS));
  }

  async #renew({ askedAtMs, sequence }: Extract<ToControl, { type: "renew" }>): Promise<void> {
    const { database, send, end } = this.#options;
    const instance = this.#instance as string;
    const now = await database.asSystem((trx) => renewLease(trx, this.gatewayId, instance, sequence));
    if (now === undefined) end(4409, "this process does not hold the gateway any more");
    else send({ type: "lease", askedAtMs, databaseTimeMs: now });
  }

  #opened(grantId: string, fence: number): void {
    const told = this.#told.get(grantId);
    if (!told || fence !== this.#fence) return;
    if (told.state === "told") told.state = "open";
    this.#answers.emit(`opened ${grantId}`);
    this.#options.onOpened(grantId);
  }

  /** Tell of every grant that is not told as it is; what the database has no more is closed. */
  async #list(): Promise<void> {
    const { database } = this.#options;
    const before = new Set(this.#told.keys());
    for (let after: string | undefined; ; ) {
      const asked = performance.now();
      const page = await database.asSystem((trx) =>
        this.#taken(trx, pageOfGrants(trx, this.gatewayId, after, PAGE)),
      );
      for (const grant of page) {
        before.delete(grant.id);
        this.#tell(grant, asked);
      }
      if (page.length < PAGE) break;
      after = page.at(-1)?.id;
    }
    for (const id of before) if (this.#told.has(id)) this.#sayClose(id, "deleted");
  }

  /** Read what may have changed, in one look, for as long as something is left. */
  async #read(): Promise<void> {
    const { database, log } = this.#options;
    while (this.#changed.size > 0 && this.works) {
      const ids = [...this.#changed];
      this.#changed = new Set();
      try {
        const asked = performance.now();
        const grants = await database.asSystem((trx) =>
          this.#taken(trx, someGrants(trx, this.gatewayId, ids)),
        );
        for (const grant of grants) this.#tell(grant, asked);
        const found = new Set(grants.map(({ id }) => id));
        for (const id of ids) if (!found.has(id) && this.#told.has(id)) this.#sayClose(id, "deleted");
      } catch (err) {
        log.error(
          { err, gateway: this.gatewayId, grants: ids.length },
          "could not read grants; trying again",
        );
        setTimeout(() => this.look(ids), RETRY_MS).unref();
        return;
      }
    }
  }

  /** The grants that were read, now leased to this process: one opened while it took over bears the fence of before. */
  async #taken(trx: Trx, reading: Promise<GatewayGrant[]>): Promise<GatewayGrant[]> {
    const grants = await reading;
    const older = grants.filter(({ fence }) => Number(fence) < this.#fence);
    if (older.length > 0)
      await takeGrants(
        trx,
        older.map(({ id }) => id),
        this.#fence,
      );
    return grants;
  }

  #tell(grant: GatewayGrant, askedAt: number): void {
    if (!grant.is_open) {
      this.#sayClose(grant.id, reasonOf(grant));
      return;
    }
    const known = this.#told.get(grant.id);
    if (known?.state === "closing") return;
    const { targets } = this.#options;
    const target = targets.known(grant, () => this.look([grant.id])) ?? known?.message.target ?? null;
    // The read may have waited: what is left is counted from before it.
    const endsInMs = grant.seconds_left * 1000 - (performance.now() - askedAt);
    const message = targets.message(grant, this.#fence, target, endsInMs);
    if (known && known.state !== "failed" && isSame(known.message, message)) return;
    const told = { customerId: grant.customer_id, siteId: grant.site_id, address: grant.address, message };
    this.#told.set(grant.id, { ...told, state: known?.state === "open" ? "open" : "told" });
    const onlyReady =
      known?.state === "open" && message.ready && isSame(known.message, { ...message, ready: false });
    this.#options.send(onlyReady ? { type: "ready", grant: grant.id, fence: this.#fence } : message);
  }

  #sayClose(grantId: string, reason: "revoked" | "expired" | "deleted", by?: string): void {
    const told = this.#told.get(grantId);
    if (told) told.state = "closing";
    this.#options.send({
      type: "close",
      grant: grantId,
      fence: this.#fence,
      reason,
      ...(by !== undefined && { by }),
    });
  }

  #tryFailed(): void {
    const failed = [...this.#told].filter(([, { state }]) => state === "failed").map(([id]) => id);
    if (failed.length > 0) this.look(failed);
  }

  /** The router was not there: a name may mean another address by now. */
  #resolveAgain(grantId: string): void {
    const told = this.#told.get(grantId);
    if (!told) return;
    this.#options.targets.doubt(told.address);
    this.look([grantId]);
  }
}

function reasonOf({ revoked_at, seconds_left }: GatewayGrant): "revoked" | "expired" | "deleted" {
  if (revoked_at !== null) return "revoked";
  return seconds_left <= 0 ? "expired" : "deleted";
}

function isSame(told: OpenMessage, now: OpenMessage): boolean {
  const comparable = ({ port, target, sources, ready, endsAtMs, fence }: OpenMessage) =>
    JSON.stringify([port, target, sources, ready, endsAtMs, fence]);
  return comparable(told) === comparable(now);
}

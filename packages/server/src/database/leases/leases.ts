/**
 * The share of the work that is this process's, as one member among others.
 *
 * A member renews its row in `members` every heartbeat; all its leases last until then plus `leaseMs`. The members that
 * live decide by rendezvous hashing whose bucket is whose: free ones are taken, those that have become another's are
 * given up once their runs have ended. Whoever finds a member expired ends it (see `expel`).
 *
 *   no member -> member (a term begins) -> the term ends: not renewed in time by our own clock, expelled, or closed
 *
 * After a term the process joins anew under another id, so that nothing of the old term can be mistaken for its own.
 * What the process believes is shorter than what the database knows: it counts on its monotonic clock from before the
 * renewing statement was sent. That clock stands still while a whole host is suspended, and the database's may be set;
 * then a process believes too much for at most one heartbeat, and what it writes is refused all the same.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { openPrimary } from "../connection.ts";
import type { Connection } from "../hosts.ts";
import type { Log } from "../log.ts";
import { bucketOf } from "./bucket.ts";
import { hostId, isGone } from "./host.ts";
import { type Lease, LeaseLostError } from "./lease.ts";
import {
  beat,
  expel,
  freeBuckets,
  type Heartbeat,
  insertMember,
  type MemberSeen,
  removeMember,
  takeBuckets,
} from "./member-store.ts";
import { bucketsOf } from "./rendezvous.ts";

const HEARTBEAT_MS = 2_000;
const LEASE_MS = 6_000;
/** After a heartbeat that failed. */
const RETRY_MS = 500;

export interface LeasesOptions {
  readonly connection: Connection;
  /** Of all database sessions of this process, and of no others: whoever takes its leases ends these. */
  readonly applicationName: string;
  /** host:port of the process's internal listener, for the other processes. */
  readonly address?: string | undefined;
  readonly log: Log;
  readonly heartbeatMs?: number;
  readonly leaseMs?: number;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
}

export interface LeaseListener {
  /** These are ours from now on. */
  gained(buckets: readonly number[]): void;
  /**
   * No run begins for these any more, and none is under way.
   * @param areOurs they are given up in good order, and are ours until this has resolved; else others may have them
   */
  lost(buckets: readonly number[], areOurs: boolean): void | Promise<void>;
}

interface Held {
  readonly bucket: number;
  readonly epoch: string;
  /** Runs under way. */
  runs: number;
  /** Another's by the hashing: no run begins any more. */
  isLeaving: boolean;
}

/** A membership, from joining to its end. */
interface Term {
  readonly id: string;
  readonly held: Map<number, Held>;
  readonly ended: AbortController;
  /** By our own clock. */
  until: number;
}

export class Leases implements AsyncDisposable {
  readonly #options: LeasesOptions;
  readonly #heartbeatMs: number;
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #hostId: string | undefined;
  readonly #listeners = new Set<LeaseListener>();
  readonly #stopping = new AbortController();
  readonly #releasing = new Set<Promise<void>>();
  #client: pg.Client | undefined;
  #term: Term | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** What the hashing came to, and for which members. */
  #share: { readonly members: string; readonly buckets: ReadonlySet<number> } | undefined;
  /** The database's clock minus ours, milliseconds. */
  #clockOffset = Date.now() - performance.now();

  private constructor(options: LeasesOptions, host: string | undefined) {
    this.#options = options;
    this.#heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
    this.#now = options.now ?? (() => performance.now());
    this.#hostId = host;
  }

  /**
   * Join. Leases are held when this resolves, unless others still have them.
   * @throws pg's error when the database can't be reached; nothing is left open then
   */
  static async open(options: LeasesOptions): Promise<Leases> {
    const leases = new Leases(options, await hostId());
    try {
      await leases.#beat();
    } catch (error) {
      await leases.close();
      throw error;
    }
    leases.#running = leases.#run();
    return leases;
  }

  /** Be told what is gained and lost, beginning with what is held. @returns ends that */
  watch(listener: LeaseListener): () => void {
    this.#listeners.add(listener);
    const held = this.held();
    if (held.length > 0) listener.gained(held);
    return () => this.#listeners.delete(listener);
  }

  /** The buckets for which runs may begin. */
  held(): number[] {
    return [...(this.#term?.held.values() ?? [])]
      .filter(({ isLeaving }) => !isLeaving)
      .map(({ bucket }) => bucket);
  }

  holds(bucket: number): boolean {
    const term = this.#term;
    return term?.held.get(bucket)?.isLeaving === false && this.#now() < term.until;
  }

  /** The right to run for this key, to be disposed of when the run has ended; undefined when it is not ours. */
  claim(key: string): Lease | undefined {
    const term = this.#term;
    const held = term?.held.get(bucketOf(key));
    if (!term || !held || held.isLeaving || this.#now() >= term.until) return undefined;
    held.runs++;
    return new HeldLease(term, held, this.#now);
  }

  /** Why no work is done here at the moment; undefined when the process is a member. */
  get problem(): string | undefined {
    return this.#term === undefined ? "holds no leases: the database can't be reached" : undefined;
  }

  /** The database's time, as the last heartbeat showed it; before the first, the host's. */
  databaseNow(): Date {
    return new Date(this.#clockOffset + performance.now());
  }

  /** Leave: give every lease up, whatever runs, and take no more. Stop what runs before. Safe twice. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#end("this process is stopping", true);
    await Promise.all(this.#releasing);
    await this.#client?.end().catch(() => {});
    this.#client = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = this.#heartbeatMs;
    while (!signal.aborted) {
      await delay(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#beat();
        pauseMs = this.#heartbeatMs;
      } catch (error) {
        this.#options.log.warn({ err: error }, "the leases could not be renewed; trying again");
        this.#dropConnection();
        pauseMs = Math.min(RETRY_MS, this.#heartbeatMs);
      }
    }
  }

  async #beat(): Promise<void> {
    const client = await this.#connected();
    if (!this.#term) await this.#join(client);
    const term = this.#term;
    if (!term) return;
    const sentAt = this.#now();
    const heartbeat = await beat(client, term.id, this.#leaseMs);
    this.#clockOffset = heartbeat.databaseTime - performance.now();
    if (!heartbeat.isMember) {
      this.#options.log.warn(
        {},
        "another process has taken this one's leases, which it did not renew in time",
      );
      await this.#end("another process has taken it");
      return this.#beat();
    }
    if (term.ended.signal.aborted) return; // by our own clock, while the answer was on its way
    this.#renewed(term, sentAt);
    await this.#expelDead(client, term, heartbeat);
    await this.#adjust(client, term, heartbeat);
  }

  async #join(client: pg.Client): Promise<void> {
    const { applicationName, address } = this.#options;
    const id = randomUUID();
    const until = this.#now() + this.#leaseMs;
    const member = { id, host: hostname(), hostId: this.#hostId, pid: process.pid, applicationName, address };
    await insertMember(client, member, this.#leaseMs);
    this.#term = { id, held: new Map(), ended: new AbortController(), until };
  }

  #renewed(term: Term, sentAt: number): void {
    term.until = sentAt + this.#leaseMs;
    clearTimeout(this.#expiry);
    const expire = () => {
      this.#options.log.warn({}, "the leases were not renewed in time; what runs is ended");
      void this.#end("it was not renewed in time");
    };
    this.#expiry = setTimeout(expire, term.until - this.#now());
  }

  /** A process of this host that is gone need not be waited for. */
  async #expelDead(client: pg.Client, term: Term, { members }: Heartbeat): Promise<void> {
    const others = members.filter(({ id }) => id !== term.id);
    const gone = others.filter((member) => this.#isGone(member)).map(({ id }) => id);
    const late = others.filter(({ id, hasExpired }) => hasExpired && !gone.includes(id)).map(({ id }) => id);
    if (gone.length > 0) await expel(client, gone, true);
    if (late.length > 0) {
      const expelled = await expel(client, late, false);
      if (expelled.length > 0)
        this.#options.log.warn({ members: expelled }, "took over from processes that did not renew in time");
    }
  }

  #isGone({ hostId: theirs, pid }: MemberSeen): boolean {
    return theirs !== null && theirs === this.#hostId && isGone(pid);
  }

  /** Give up what has become another's, and take what is ours and free. In most heartbeats there is nothing to do. */
  async #adjust(client: pg.Client, term: Term, heartbeat: Heartbeat): Promise<void> {
    const share = this.#shareAmong(term, heartbeat);
    for (const held of term.held.values()) {
      if (!share.has(held.bucket)) held.isLeaving = true;
    }
    const ended = [...term.held.values()].filter(({ isLeaving, runs }) => isLeaving && runs === 0);
    if (ended.length > 0) this.#release(term, ended);
    const missing = [...share].filter((bucket) => !term.held.has(bucket));
    if (missing.length === 0) return;
    const taken = await takeBuckets(client, term.id, missing);
    if (taken.length === 0 || term.ended.signal.aborted) return;
    for (const { bucket, epoch } of taken)
      term.held.set(bucket, { bucket, epoch, runs: 0, isLeaving: false });
    const buckets = taken.map(({ bucket }) => bucket);
    for (const listener of this.#listeners) listener.gained(buckets);
  }

  #shareAmong(term: Term, { members }: Heartbeat): ReadonlySet<number> {
    const living = members
      .filter((member) => !member.hasExpired && !this.#isGone(member))
      .map(({ id }) => id);
    const key = [term.id, ...living.sort()].join();
    if (this.#share?.members !== key)
      this.#share = { members: key, buckets: bucketsOf(term.id, [...living, term.id]) };
    return this.#share.buckets;
  }

  /** Beside the heartbeat, which must not wait for whoever is told. */
  #release(term: Term, leaving: readonly Held[]): void {
    const buckets = leaving.map(({ bucket }) => bucket);
    for (const bucket of buckets) term.held.delete(bucket);
    const releasing = this.#tellLost(buckets, true)
      .then(async () => freeBuckets(await this.#connected(), term.id, buckets))
      .catch((error) => {
        this.#options.log.warn({ err: error }, "could not free leases that are another process's by now");
        // They stay in this member's name, for nobody to use, until its term ends.
        return this.#end("leases could not be handed over");
      })
      .finally(() => this.#releasing.delete(releasing));
    this.#releasing.add(releasing);
  }

  /** The term is over: everything is lost at once. */
  async #end(reason: string, areOurs = false): Promise<void> {
    const term = this.#term;
    if (!term) return;
    this.#term = undefined;
    clearTimeout(this.#expiry);
    term.ended.abort(new LeaseLostError(reason));
    await this.#tellLost([...term.held.keys()], areOurs);
    // Where it can't be done now, whoever finds the member expired does it.
    await this.#connected()
      .then((client) => removeMember(client, term.id))
      .catch(() => {});
  }

  async #tellLost(buckets: readonly number[], areOurs: boolean): Promise<void> {
    if (buckets.length === 0) return;
    const told = [...this.#listeners].map(async (listener) => listener.lost(buckets, areOurs));
    for (const result of await Promise.allSettled(told)) {
      if (result.status === "rejected")
        this.#options.log.error({ err: result.reason }, "a lost lease was not cleaned up after");
    }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client;
    const client = await openPrimary(this.#options.connection, {
      application_name: this.#options.applicationName,
      query_timeout: this.#leaseMs / 3, // a link that swallows everything is replaced before the leases run out
    });
    client.on("error", () => this.#dropConnection(client));
    client.on("end", () => this.#dropConnection(client));
    this.#client = client;
    return client;
  }

  #dropConnection(client = this.#client): void {
    if (client === undefined || client !== this.#client) return;
    this.#client = undefined;
    void client.end().catch(() => {});
  }
}

class HeldLease implements Lease {
  readonly #term: Term;
  readonly #held: Held;
  readonly #now: () => number;
  #isOver = false;

  constructor(term: Term, held: Held, now: () => number) {
    this.#term = term;
    this.#held = held;
    this.#now = now;
  }

  get bucket(): number {
    return this.#held.bucket;
  }

  get holder(): string {
    return this.#term.id;
  }

  get epoch(): string {
    return this.#held.epoch;
  }

  get lost(): AbortSignal {
    return this.#term.ended.signal;
  }

  check(): void {
    if (this.lost.aborted) throw this.lost.reason;
    if (this.#now() >= this.#term.until) throw new LeaseLostError("it was not renewed in time");
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held.runs--;
  }
}

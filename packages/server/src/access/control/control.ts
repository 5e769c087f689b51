/**
 * The control plane's side of all gateways, in one API process. A gateway's channel ends in one of them; the others
 * reach it through the database's notifications, and hear from it the same way.
 */
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { type Database, notify } from "../../database/index.ts";
import type { AddressRules, SiteService } from "../../sites/index.ts";
import { closeLapsed } from "./lapsed.ts";
import { isLapsed } from "./lease.ts";
import { GatewaySession, type SessionOptions, type ToldGrant } from "./session.ts";
import { Targets } from "./targets.ts";

/** How long an answer is held back until the gateway has opened or closed, milliseconds. */
const ANSWER_MS = 2_000;
/** How often a gateway is looked for that has no channel to us, milliseconds. */
const DIAL_POLL_MS = 20;

/** Between API processes: closing a grant at the gateway whose channel another one has, and what became of it. */
export const GATEWAY_CHANNEL = "portreeve_gateway";

const note = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("close"), grant: z.uuid(), gateway: z.uuid(), by: z.string() }),
  z.strictObject({ type: z.literal("closed"), grant: z.uuid() }),
  z.strictObject({ type: z.literal("opened"), grant: z.uuid() }),
]);
type Note = z.infer<typeof note>;

export interface GatewayControlOptions {
  readonly database: Database;
  readonly sites: SiteService;
  readonly addresses: AddressRules;
  /** Where connections to routers leave from. */
  readonly localAddress: string | undefined;
  readonly log: Logger;
}

export class GatewayControl implements AsyncDisposable {
  /** Names this process in notifications, so that it does not follow its own. */
  readonly origin = randomUUID();
  readonly #options: GatewayControlOptions;
  readonly #targets: Targets;
  readonly #sessions = new Set<GatewaySession>();
  readonly #ending = new Set<Promise<void>>();
  /** `opened <grant>` and `closed <grant>`, as another process told it. */
  readonly #told = new EventEmitter().setMaxListeners(0);
  /** Grants that another process has opened, and waits for. */
  readonly #awaited = new Set<string>();

  constructor(options: GatewayControlOptions) {
    this.#options = options;
    this.#targets = new Targets(options);
  }

  /** A gateway's channel stands; the caller hands over what comes from it and says when it is gone. */
  attach(gatewayId: string, channel: Pick<SessionOptions, "send" | "end">): GatewaySession {
    const { database, sites, log } = this.#options;
    const session = new GatewaySession({
      gatewayId,
      database,
      sites,
      log,
      targets: this.#targets,
      ...channel,
      onOpened: (grant) => {
        if (this.#awaited.delete(grant)) this.#answerOthers({ type: "opened", grant });
      },
    });
    this.#sessions.add(session);
    return session;
  }

  /** @param orderly the gateway said so itself, after it had closed everything */
  detach(session: GatewaySession, orderly: boolean): void {
    this.#sessions.delete(session);
    const ended = session.ended(orderly).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** What this process knows of a grant without asking the database, because it holds the gateway's channel. */
  told(grantId: string): (ToldGrant & { readonly gatewayId: string }) | undefined {
    for (const session of this.#sessions) {
      const told = session.works ? session.told(grantId) : undefined;
      if (told) return { ...told, gatewayId: session.gatewayId };
    }
    return undefined;
  }

  /** Resolves when the grant's port stands, or after two seconds. */
  async opened(grantId: string, gatewayId: string): Promise<void> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const session = this.#sessionOf(gatewayId);
    const opened = session
      ? session.opened(grantId, signal)
      : once(this.#told, `opened ${grantId}`, { signal });
    await opened.catch(() => {});
  }

  /**
   * Close a grant at its gateway.
   * @param by who revokes it, for the audit: see `revokerText`
   * @returns whether not a byte passes any more; false: the gateway could not be reached in two seconds
   */
  async close(grantId: string, gatewayId: string, by: string): Promise<boolean> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    try {
      if (this.#sessionOf(gatewayId)) await this.#closeHere(grantId, gatewayId, by, signal);
      else
        await Promise.any([
          this.#closeElsewhere(grantId, gatewayId, by, signal),
          // It may be dialling us: after a start of this process, or of its own.
          this.#closeHere(grantId, gatewayId, by, signal),
        ]);
      return true;
    } catch {
      return false;
    }
  }

  /** A grant was opened, revoked or made ready. @param origin of the process that did it */
  grantChanged(grantId: string, origin: string | undefined): void {
    // Who opens or closes a grant here and now waits for it: the notification brings nothing new.
    if (origin === this.origin) return;
    if (origin !== undefined) this.#await(grantId);
    for (const session of this.#sessions) session.look([grantId]);
  }

  /** It waits no longer than for an answer. */
  #await(grantId: string): void {
    if (this.#sessions.size === 0) return;
    this.#awaited.add(grantId);
    setTimeout(() => this.#awaited.delete(grantId), ANSWER_MS).unref();
  }

  siteChanged(siteId: string): void {
    for (const session of this.#sessions) session.lookAtSite(siteId);
  }

  /** Notifications may have been lost. */
  compare(): void {
    for (const session of this.#sessions) session.compare();
  }

  /** Write down what has ended while nobody held its gateway. @throws the database's error */
  async closeLapsed(): Promise<void> {
    const { database, sites } = this.#options;
    const changed = await database.asSystem(closeLapsed);
    if (changed.length > 0) await database.asSystem((trx) => sites.bumpGeneration(trx, changed));
  }

  /** What another process says on `GATEWAY_CHANNEL`. */
  heard(payload: string): void {
    const read = note.safeParse(parsed(payload));
    if (!read.success) {
      this.#options.log.warn({ payload }, "a notification between servers can't be read");
      return;
    }
    const { data } = read;
    if (data.type === "close") void this.#closeForOthers(data);
    else this.#told.emit(`${data.type} ${data.grant}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ending);
  }

  #sessionOf(gatewayId: string): GatewaySession | undefined {
    return [...this.#sessions].find((session) => session.works && session.gatewayId === gatewayId);
  }

  async #closeHere(grant: string, gateway: string, by: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const session = this.#sessionOf(gateway);
      if (session) return session.close(grant, by, signal);
      await delay(DIAL_POLL_MS, undefined, { signal });
    }
  }

  async #closeElsewhere(grant: string, gateway: string, by: string, signal: AbortSignal): Promise<void> {
    const { database } = this.#options;
    // Nobody has held the gateway for long enough: it carries nothing, and nobody would answer.
    if (await database.asSystem((trx) => isLapsed(trx, gateway))) return;
    const closed = once(this.#told, `closed ${grant}`, { signal });
    closed.catch(() => {});
    await this.#say({ type: "close", grant, gateway, by });
    await closed;
  }

  async #closeForOthers({ grant, gateway, by }: Extract<Note, { type: "close" }>): Promise<void> {
    const session = this.#sessionOf(gateway);
    if (!session) return;
    try {
      await session.close(grant, by, AbortSignal.timeout(ANSWER_MS));
      await this.#say({ type: "closed", grant });
    } catch (err) {
      this.#options.log.warn({ err, grant }, "could not close a grant for another server");
    }
  }

  #answerOthers(answer: Note): void {
    this.#say(answer).catch((err) => this.#options.log.warn({ err }, "could not tell the other servers"));
  }

  async #say(message: Note): Promise<void> {
    await this.#options.database.asSystem((trx) => notify(trx, GATEWAY_CHANNEL, JSON.stringify(message)));
  }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

/**
 * Logging in to routers: the one way out for the passwords of the vault. It changes nothing on them.
 *
 * A site has at most one active login (proven), one pending (kept, perhaps already on the router) and, until it is
 * adopted, the login somebody gave. What becomes of the pending one and of the given one is for the workflows.
 */
import { LoginError, parseVersion } from "@portreeve/routeros";
import type { Login } from "../credentials/index.ts";
import { bucketOf, type Database } from "../database/index.ts";
import { recordReached, type Sightings, SiteNotReadyError, type SiteRow } from "../sites/index.ts";
import type { Vault } from "../vault/index.ts";
import { type Connected, connect, type Dialer } from "./connect.ts";
import { inspect } from "./inspect.ts";
import { type Logins, loadLogins } from "./logins.ts";
import type { RouterAccess, RouterSession } from "./session.ts";
import { SessionPool } from "./session-pool.ts";
import { TrafficMeter } from "./traffic-meter.ts";
import { ConnectionWatch, KEPT_ANSWER_MS } from "./watch/connection-watch.ts";

export interface RouterLoginsOptions extends Dialer {
  readonly database: Database;
  readonly vault: Vault;
  readonly sightings: Sightings;
  /** This process works for the site, and keeps the connection to its router. */
  readonly isOurs: (siteId: string) => boolean;
  /** A change was heard of a router whose connection is kept: it is to be read. */
  readonly onHeard: (siteId: string) => void;
}

export class RouterLogins implements RouterAccess, AsyncDisposable {
  readonly #options: RouterLoginsOptions;
  readonly #pool: SessionPool;

  constructor(options: RouterLoginsOptions) {
    this.#options = options;
    this.#pool = new SessionPool(options.isOurs);
  }

  async open(siteId: string, signal: AbortSignal): Promise<RouterSession> {
    const logins = await this.load(siteId);
    const kept = await this.#reuse(logins, signal);
    if (kept) return kept;
    const connected = await this.connectWithOurs(logins, signal);
    if (!connected)
      throw new SiteNotReadyError("No login is known for this router; PATCH the site with one.");
    return this.#session(logins.site, connected, connected.login, signal);
  }

  async openForReading(siteId: string, signal: AbortSignal): Promise<RouterSession> {
    const logins = await this.load(siteId);
    const { site } = logins;
    if (!logins.active) throw new SiteNotReadyError("The router has not been adopted yet.");
    const connected = await this.connectWithOurs(logins, signal);
    if (!connected) throw new SiteNotReadyError("The router no longer accepts Portreeve's login.");
    // A preview may read while a run is about to move the management path: what that run expects is not for us to forget.
    const settled = connected.port === site.next_api_port;
    return this.#session(site, connected, connected.login, signal, settled);
  }

  async heartbeat(siteId: string, signal: AbortSignal): Promise<boolean> {
    const kept = this.#pool.peek(siteId);
    const turn = kept?.watch.turn() ?? "reading";
    if (!kept || turn === "reading") return false;
    if (turn === "nothing") return true;
    try {
      if (!(await kept.watch.beat(turn === "unheard", signal))) return false;
    } catch {
      kept.client.reset(); // it has died unnoticed, or the router is not well: a new one will tell
      return false;
    }
    const { sightings } = this.#options;
    sightings.seen(siteId);
    sightings.checked(siteId);
    sightings.carried(siteId, kept.meter.take());
    return true;
  }

  /** @throws SiteNotReadyError the site is gone */
  load(siteId: string): Promise<Logins> {
    const { database, vault } = this.#options;
    return database.asSystem((trx) => loadLogins(trx, vault, siteId));
  }

  /** @throws AddressRefusedError, and the errors of `RouterClient.connect` */
  async connect(
    site: SiteRow,
    login: Pick<Login, "username" | "password">,
    signal: AbortSignal,
  ): Promise<Connected> {
    const { client, port } = await connect(this.#options, site, login, signal);
    const onHeard = () => this.#options.onHeard(site.id);
    const watch = new ConnectionWatch({ client, username: login.username, onHeard });
    const connected = { client, port, watch, meter: new TrafficMeter(client) };
    void client.closed.then(() => {
      this.#pool.drop(site.id, connected);
      this.#options.sightings.carried(site.id, connected.meter.take());
    });
    return connected;
  }

  /**
   * With whichever login of ours works.
   * @returns undefined when there is none, or none works and the site has one to be adopted with
   * @throws LoginError when none works
   */
  async connectWithOurs(
    { site, active, pending, adoptionLogin }: Logins,
    signal: AbortSignal,
  ): Promise<(Connected & { login: Login }) | undefined> {
    let refused: unknown;
    for (const login of [active, pending]) {
      if (!login) continue;
      try {
        return { ...(await this.connect(site, login, signal)), login };
      } catch (error) {
        if (!(error instanceof LoginError)) throw error;
        refused = error;
      }
    }
    if (refused !== undefined && !adoptionLogin) throw refused;
    return undefined;
  }

  /** Keep a connection for the run that follows. */
  keep(site: SiteRow, login: Login, connected: Connected): void {
    this.#options.sightings.carried(site.id, connected.meter.take());
    this.#pool.give(site.id, poolKey(login, site, connected.port), connected);
  }

  /** Close the connections kept for sites that are another process's to work for. */
  closeKept(buckets: ReadonlySet<number>): void {
    this.#pool.closeWhere((siteId) => buckets.has(bucketOf(siteId)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool.close();
  }

  /** The connection of an earlier run, if it still answers and nothing about the login is to be done. */
  async #reuse(
    { site, active, pending, adoptionLogin }: Logins,
    signal: AbortSignal,
  ): Promise<RouterSession | undefined> {
    if (!active || pending || adoptionLogin || site.next_api_port !== null) return undefined;
    const kept = this.#pool.take(site.id, poolKey(active, site, site.api_port));
    if (!kept) return undefined;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(KEPT_ANSWER_MS)]);
    try {
      return await this.#session(site, kept, active, limit);
    } catch {
      return undefined; // it has died unnoticed; #session has given it up
    }
  }

  async #session(
    site: SiteRow,
    connected: Connected,
    login: Login,
    signal: AbortSignal,
    settled = true,
  ): Promise<RouterSession> {
    const { client, port, watch } = connected;
    watch.metered = site.metered;
    watch.begin();
    try {
      const router = await inspect(client, signal);
      const { fingerprint } = client;
      const reached = { port, fingerprint, settled, router };
      const { database, sightings } = this.#options;
      await recordReached(database, sightings, site, reached);
      return {
        client,
        watch,
        version: parseVersion(router.version),
        managementAddress: managementAddressOf(site),
        service: site.management_transport,
        [Symbol.asyncDispose]: async () => this.keep(site, login, connected),
      };
    } catch (error) {
      client.reset();
      throw error;
    }
  }
}

/** @throws SiteNotReadyError */
export function managementAddressOf(site: SiteRow): string {
  if (site.management_address === null) throw new SiteNotReadyError("The router has not been adopted yet.");
  return site.management_address;
}

function poolKey(login: Login, site: SiteRow, port: number): string {
  return [login.id, site.address, site.management_transport, site.tls_fingerprint, port].join(" ");
}

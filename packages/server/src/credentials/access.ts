/**
 * Logging in to routers: the one way out for the passwords of the vault.
 *
 * A site has at most one active login (proven), one pending (kept, perhaps already on the router) and, until it is
 * adopted, the login somebody gave. Each state that a crash can leave behind is one of these cases:
 *
 *   active works, nothing pending   use it
 *   active works, one pending       set the pending password, prove it by logging in, retire the active one
 *   active refused, pending works   the router already took it: activate it
 *   neither works, a login given    adopt (again): make our user with the pending password, prove it
 */
import { LoginError, parseVersion } from "@portreeve/routeros";
import { record } from "../audit/index.ts";
import { bucketOf, type Database } from "../database/index.ts";
import { NeedsAttentionError, type RouterAccess, type RouterSession } from "../reconcile/index.ts";
import {
  adoptionLoginBinding,
  findDuplicateSite,
  findSite,
  type ManagementPath,
  type RouterIdentity,
  recordAdopted,
  recordMoved,
  recordReached,
  type Sightings,
  SiteNotReadyError,
  type SiteRow,
} from "../sites/index.ts";
import { Secret, type Vault } from "../vault/index.ts";
import { installOurUser } from "./adopt.ts";
import { type Connected, connect, type Dialer } from "./connect.ts";
import { inspect, seenFrom } from "./inspect.ts";
import { offerPassword } from "./rotate.ts";
import { SessionPool } from "./session-pool.ts";
import { activate, insertPending, type Login, listCredentials, openLogin, replacePending } from "./store.ts";

export interface CredentialAccessOptions extends Dialer {
  readonly database: Database;
  readonly vault: Vault;
  readonly sightings: Sightings;
  /** Name of our user on routers. */
  readonly username: string;
}

interface Logins {
  readonly site: SiteRow;
  readonly active: Login | undefined;
  readonly pending: Login | undefined;
  readonly adoptionLogin: { readonly username: string; readonly password: Secret } | undefined;
}

/** How long a kept connection may take to answer before a new one is opened instead, milliseconds. */
const KEPT_ANSWER_MS = 5_000;

export class CredentialAccess implements RouterAccess, AsyncDisposable {
  readonly #options: CredentialAccessOptions;
  readonly #pool = new SessionPool();

  constructor(options: CredentialAccessOptions) {
    this.#options = options;
  }

  async open(siteId: string, signal: AbortSignal): Promise<RouterSession> {
    const logins = await this.#logins(siteId);
    const kept = await this.#reuse(logins, signal);
    if (kept) return kept;
    const connected = await this.#connectWithEither(logins, signal);
    if (!connected) return this.#adopt(logins, signal);
    const { site, pending } = logins;
    if (pending && connected.login === logins.active) {
      await using _old = connected.client;
      return await this.#rotate(site, connected, pending, signal);
    }
    if (connected.login === pending) return this.#resume(site, connected, pending, signal);
    if (logins.adoptionLogin)
      await this.#options.database.asSystem((trx) => recordAdopted(trx, siteId, managementAddressOf(site)));
    return this.#session(site, connected, connected.login, signal);
  }

  /** Opens a new connection each time: it is what proves that the management path works. */
  async openForReading(siteId: string, signal: AbortSignal): Promise<RouterSession> {
    const logins = await this.#logins(siteId);
    const { site } = logins;
    if (!logins.active) throw new SiteNotReadyError("The router has not been adopted yet.");
    const connected = await this.#connectWithEither(logins, signal);
    if (!connected) throw new SiteNotReadyError("The router no longer accepts Portreeve's login.");
    // A preview may read while a run is about to move the management path: what that run expects is not for us to forget.
    const settled = connected.port === site.next_api_port;
    return this.#session(site, connected, connected.login, signal, settled);
  }

  /**
   * Come in by another transport from now on, if a login by it works. The old one is left as it is.
   * @throws the errors of `RouterClient.connect`: the site stays on the transport it is on
   */
  async moveTo(siteId: string, way: ManagementPath, signal: AbortSignal): Promise<void> {
    const { site, active } = await this.#logins(siteId);
    if (!active) throw new SiteNotReadyError("The router has not been adopted yet.");
    const moved = {
      ...site,
      management_transport: way.transport,
      tls_fingerprint: way.fingerprint,
      certificates: [],
      api_port: way.port,
      next_api_port: null,
    };
    const { client } = await connect(this.#options, moved, active, signal);
    client.close();
    await this.#options.database.asSystem((trx) => recordMoved(trx, site, way));
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
    try {
      return await this.#session(
        site,
        kept,
        active,
        AbortSignal.any([signal, AbortSignal.timeout(KEPT_ANSWER_MS)]),
      );
    } catch {
      return undefined; // it has died unnoticed; #session has closed it
    }
  }

  /**
   * @returns undefined when no login of ours works and one was given to adopt the router with
   * @throws LoginError when none works and none was given
   */
  async #connectWithEither(
    { site, active, pending, adoptionLogin }: Logins,
    signal: AbortSignal,
  ): Promise<(Connected & { login: Login }) | undefined> {
    let refused: unknown;
    for (const login of [active, pending]) {
      if (!login) continue;
      try {
        return { ...(await connect(this.#options, site, login, signal)), login };
      } catch (error) {
        if (!(error instanceof LoginError)) throw error;
        refused = error;
      }
    }
    if (adoptionLogin) return undefined;
    throw refused ?? new SiteNotReadyError("No login is known for this router; PATCH the site with one.");
  }

  async #adopt({ site, pending, adoptionLogin }: Logins, signal: AbortSignal): Promise<RouterSession> {
    const { database, vault, username } = this.#options;
    const login =
      pending ??
      (await database.asSystem(async (trx) =>
        openLogin(trx, vault, await insertPending(trx, vault, site, username)),
      ));
    const adoptionSession = await connect(
      this.#options,
      site,
      adoptionLogin as NonNullable<typeof adoptionLogin>,
      signal,
    );
    await using client = adoptionSession.client;
    const router = await inspect(client, signal);
    await this.#refuseDuplicateSite(site, router);
    const version = parseVersion(router.version);
    const managementAddress = await installOurUser(
      client,
      version,
      adoptionLogin?.username ?? "",
      login,
      signal,
    );
    const connected = await connect(this.#options, site, login, signal);
    return this.#proven(
      { ...site, management_address: managementAddress },
      connected,
      login,
      "site.adopted",
      signal,
    );
  }

  /** Adopting a router twice would take the first site's login away. Before anything is changed on it. */
  async #refuseDuplicateSite(site: SiteRow, { serialNumber }: RouterIdentity): Promise<void> {
    if (serialNumber === null) return; // x86 and CHR have none
    const duplicate = await this.#options.database.asSystem((trx) =>
      findDuplicateSite(trx, site, serialNumber),
    );
    if (!duplicate) return;
    throw new NeedsAttentionError(
      `this router (serial number ${serialNumber}) is the site ${duplicate.name} (${duplicate.id}) already; delete one of the two`,
    );
  }

  /** The router already has the pending login: a crash came between setting and recording it. */
  async #resume(
    site: SiteRow,
    connected: Connected,
    pending: Login,
    signal: AbortSignal,
  ): Promise<RouterSession> {
    if (site.management_address !== null)
      return this.#proven(site, connected, pending, "credential.rotated", signal);
    try {
      const managementAddress = await seenFrom(connected.client, pending.username, signal);
      const adopted = { ...site, management_address: managementAddress };
      return await this.#proven(adopted, connected, pending, "site.adopted", signal);
    } catch (error) {
      connected.client.close();
      throw error;
    }
  }

  async #rotate(site: SiteRow, old: Connected, pending: Login, signal: AbortSignal): Promise<RouterSession> {
    const { database, vault } = this.#options;
    const keep = (candidate: Login) =>
      database.asSystem((trx) =>
        replacePending(trx, vault, site.customer_id, candidate.id, candidate.password),
      );
    const offered = await offerPassword(old.client, pending, keep, signal);
    return this.#proven(
      site,
      await connect(this.#options, site, offered, signal),
      offered,
      "credential.rotated",
      signal,
    );
  }

  /** A pending login has logged in: write that down, whatever came before. */
  async #proven(
    site: SiteRow,
    connected: Connected,
    login: Login,
    action: "site.adopted" | "credential.rotated",
    signal: AbortSignal,
  ): Promise<RouterSession> {
    try {
      await this.#options.database.asSystem(async (trx) => {
        await activate(trx, site.id, login.id);
        await recordAdopted(trx, site.id, managementAddressOf(site));
        const event = { action, subjectType: "credential", subjectId: login.id, siteId: site.id };
        await record(trx, { kind: "system", part: "reconciler" }, { customerId: site.customer_id, ...event });
      });
    } catch (error) {
      connected.client.close();
      throw error;
    }
    return this.#session(site, connected, login, signal);
  }

  async #session(
    site: SiteRow,
    connected: Connected,
    login: Login,
    signal: AbortSignal,
    settled = true,
  ): Promise<RouterSession> {
    const { client, port } = connected;
    try {
      const router = await inspect(client, signal);
      const { fingerprint } = client;
      const reached = { port, fingerprint, settled, router };
      const { database, sightings } = this.#options;
      await recordReached(database, sightings, site, reached);
      return {
        client,
        version: parseVersion(router.version),
        managementAddress: managementAddressOf(site),
        service: site.management_transport,
        [Symbol.asyncDispose]: async () => this.#pool.give(site.id, poolKey(login, site, port), connected),
      };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  #logins(siteId: string): Promise<Logins> {
    const { database, vault } = this.#options;
    return database.asSystem(async (trx) => {
      const site = await findSite(trx, siteId);
      if (!site) throw new SiteNotReadyError("The site is gone.");
      const rows = await listCredentials(trx, siteId);
      const open = (state: string) => {
        const row = rows.find((candidate) => candidate.state === state);
        return row ? openLogin(trx, vault, row) : undefined;
      };
      return {
        site,
        active: await open("active"),
        pending: await open("pending"),
        adoptionLogin: await openAdoptionLogin(trx, vault, site),
      };
    });
  }
}

async function openAdoptionLogin(
  trx: Parameters<typeof findSite>[0],
  vault: Vault,
  site: SiteRow,
): Promise<Logins["adoptionLogin"]> {
  if (site.adoption_login === null) return undefined;
  const sealed = await vault.open(trx, site.customer_id, adoptionLoginBinding(site.id), site.adoption_login);
  const { username, password } = JSON.parse(sealed.reveal()) as { username: string; password: string };
  return { username, password: new Secret(password) };
}

function managementAddressOf(site: SiteRow): string {
  if (site.management_address === null) throw new SiteNotReadyError("The router has not been adopted yet.");
  return site.management_address;
}

function poolKey(login: Login, site: SiteRow, port: number): string {
  return [login.id, site.address, site.management_transport, site.tls_fingerprint, port].join(" ");
}

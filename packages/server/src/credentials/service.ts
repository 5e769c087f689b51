/** The verbs of credentials: look at a site's logins, start a rotation. */
import { record } from "../audit/index.ts";
import type { Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import { lockSite, SiteNotFoundError, SiteNotReadyError, type SiteService } from "../sites/index.ts";
import type { Secret, Vault } from "../vault/index.ts";
import { RotationInProgressError } from "./errors.ts";
import { type CredentialRow, insertPending, listCredentials, openLogin } from "./store.ts";

export interface RevealedCredential {
  readonly row: CredentialRow;
  /** Undefined for a caller without credentials:reveal. */
  readonly password: Secret | undefined;
}

export class CredentialService {
  readonly #vault: Vault;
  readonly #sites: SiteService;
  readonly #username: string;

  constructor(options: { vault: Vault; sites: SiteService; username: string }) {
    this.#vault = options.vault;
    this.#sites = options.sites;
    this.#username = options.username;
  }

  /** Every login of the site, newest last; passwords only for those who may read them, and then audited. */
  async list(trx: Trx, caller: Caller, siteId: string, reveal: boolean): Promise<RevealedCredential[]> {
    await this.#sites.get(trx, siteId);
    const rows = await listCredentials(trx, siteId);
    if (!reveal) return rows.map((row) => ({ row, password: undefined }));
    return this.#reveal(trx, caller, siteId, rows);
  }

  /** Keep a new login and wake the reconciler, which sets and proves it; until then the old one stays active. */
  async rotate(trx: Trx, caller: Caller, siteId: string): Promise<RevealedCredential> {
    const site = await lockSite(trx, siteId);
    if (!site) throw new SiteNotFoundError();
    if (site.status === "deleting") throw new SiteNotReadyError("The site is being deleted.");
    const rows = await listCredentials(trx, siteId);
    if (!rows.some(({ state }) => state === "active"))
      throw new SiteNotReadyError("The router has not been adopted yet.");
    if (rows.some(({ state }) => state === "pending")) throw new RotationInProgressError();
    const row = await insertPending(trx, this.#vault, site, this.#username);
    await this.#audit(trx, caller, "credential.rotation_started", siteId, [row.id]);
    await this.#sites.bumpGeneration(trx, [siteId]);
    const [revealed] = await this.#reveal(trx, caller, siteId, [row]);
    return revealed as RevealedCredential;
  }

  async #reveal(
    trx: Trx,
    caller: Caller,
    siteId: string,
    rows: CredentialRow[],
  ): Promise<RevealedCredential[]> {
    if (!caller.scopes.has("credentials:reveal")) return rows.map((row) => ({ row, password: undefined }));
    await this.#audit(
      trx,
      caller,
      "credential.revealed",
      siteId,
      rows.map(({ id }) => id),
    );
    const revealed: RevealedCredential[] = [];
    for (const row of rows)
      revealed.push({ row, password: (await openLogin(trx, this.#vault, row)).password });
    return revealed;
  }

  #audit(trx: Trx, caller: Caller, action: string, siteId: string, credentials: string[]) {
    return record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "site",
      subjectId: siteId,
      siteId,
      detail: { credentials },
    });
  }
}

/** The verbs of sites. Each changes intent in the caller's transaction and wakes the reconciler when it commits. */
import { randomUUID } from "node:crypto";
import type { SiteInput, SitePatch } from "@portreeve/api-schema";
import { sql } from "kysely";
import { record } from "../audit/index.ts";
import { notify, type Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import type { CustomerId, SiteId } from "../kernel/ids.ts";
import { Secret, type Vault } from "../vault/index.ts";
import type { AddressRules } from "./address.ts";
import { insertConnection, lockAddresses, updateConnection } from "./connections.ts";
import { RouterAlreadyAddedError, SiteAddressError, SiteNotFoundError } from "./errors.ts";
import {
  deleteSite,
  findSite,
  findSiteAt,
  insertIdentity,
  lockSite,
  type SiteRow,
  updateIdentity,
} from "./store.ts";
import { changeIntent, insertSync, updateManagementPath } from "./sync.ts";
import { DEFAULT_PORTS, isGiven, transportColumns } from "./transport.ts";

/** Notified with a site's id when its intent has changed. */
export const SITE_CHANNEL = "portreeve_site";

/** What a module that imports this one keeps of every site, in a table of its own. */
export interface SitePart {
  /** The row of a new site; the database refuses a site that lacks one. */
  insert(trx: Trx, siteId: SiteId, customerId: CustomerId): Promise<void>;
  /** Somebody says how the router is reached now and which certificate it shows: what was known of ours is void. */
  certificateGiven?(trx: Trx, siteId: SiteId): Promise<void>;
}

export interface SiteServiceOptions {
  readonly vault: Vault;
  readonly addresses: AddressRules;
  readonly parts: readonly SitePart[];
}

export class SiteService {
  readonly #options: SiteServiceOptions;

  constructor(options: SiteServiceOptions) {
    this.#options = options;
  }

  async get(trx: Trx, siteId: SiteId): Promise<SiteRow> {
    const site = await findSite(trx, siteId);
    if (!site) throw new SiteNotFoundError();
    return site;
  }

  /** Add a site. It is adopted by the reconciler, as soon as the router answers. */
  async create(trx: Trx, caller: Caller, input: SiteInput): Promise<SiteRow> {
    this.#checkAddress(input.address);
    const id = randomUUID();
    const port = input.api_port ?? DEFAULT_PORTS[input.management_transport];
    const { customerId } = caller;
    await this.#refuseDuplicateSite(trx, customerId, { address: input.address, port, except: id });
    await insertIdentity(trx, { id, customer_id: customerId, name: input.name });
    await insertConnection(trx, {
      site_id: id,
      customer_id: customerId,
      address: input.address,
      api_port: port,
      management_transport: input.management_transport,
      tls_fingerprint: input.tls_fingerprint ?? null,
      keeps_certificate: input.management_transport === "api-ssl",
      adoption_login: await this.#sealLogin(trx, customerId, id, input),
      metered: input.metered,
    });
    await insertSync(trx, id, customerId);
    for (const part of this.#options.parts) await part.insert(trx, id, customerId);
    const site = await this.get(trx, id);
    await this.#audit(trx, caller, "site.created", site, { name: site.name, address: site.address });
    await notify(trx, SITE_CHANNEL, id);
    return site;
  }

  /** Change a site. A new login starts adoption anew: the router may have been replaced or reset. */
  async update(trx: Trx, caller: Caller, siteId: SiteId, patch: SitePatch): Promise<SiteRow> {
    if (patch.address !== undefined) this.#checkAddress(patch.address);
    const before = await lockSite(trx, siteId);
    if (!before) throw new SiteNotFoundError();
    const { username, password, ...given } = patch;
    const { name = before.name, address = before.address } = patch;
    const connection = { address, ...transportColumns(before, patch) };
    const at = { address, port: connection.api_port, except: siteId };
    await this.#refuseDuplicateSite(trx, caller.customerId, at);
    const login =
      username !== undefined && password !== undefined
        ? { adoption_login: await this.#sealLogin(trx, caller.customerId, siteId, { username, password }) }
        : {};
    await updateIdentity(trx, siteId, { name, updated_at: sql<Date>`now()` });
    const metered = patch.metered === undefined ? {} : { metered: patch.metered };
    await updateConnection(trx, siteId, { ...connection, ...login, ...metered });
    if (isGiven(patch)) {
      for (const part of this.#options.parts) await part.certificateGiven?.(trx, siteId);
    }
    await changeIntent(trx, [siteId]);
    const site = await this.get(trx, siteId);
    await this.#audit(trx, caller, "site.updated", site, {
      ...given,
      ...(username ? { login_given: true } : {}),
    });
    await notify(trx, SITE_CHANNEL, siteId);
    return site;
  }

  /**
   * Start off-boarding: the reconciler takes everything of ours off the router, then the site ends.
   * A router that was never adopted has nothing of ours and is forgotten at once.
   * @param force forget the site now and leave the router as it is
   */
  async remove(trx: Trx, caller: Caller, siteId: SiteId, force: boolean): Promise<SiteRow> {
    const site = await lockSite(trx, siteId);
    if (!site) throw new SiteNotFoundError();
    const forget = force || site.management_address === null;
    await this.#audit(trx, caller, forget ? "site.deleted" : "site.offboarding", site, {
      name: site.name,
      force,
    });
    if (forget) await deleteSite(trx, siteId);
    else {
      await updateIdentity(trx, siteId, { status: "deleting" });
      await changeIntent(trx, [siteId]);
    }
    await notify(trx, SITE_CHANNEL, siteId);
    return { ...site, status: "deleting", sync_state: "pending" };
  }

  /** The intent for these sites has changed elsewhere (a policy, a grant, a rotation): wake the reconciler. */
  async bumpGeneration(trx: Trx, siteIds: readonly SiteId[]): Promise<void> {
    if (siteIds.length === 0) return;
    await changeIntent(trx, siteIds);
    for (const siteId of siteIds) await notify(trx, SITE_CHANNEL, siteId);
  }

  /** Reconcile this site now, without a change of intent; a change of the management path that was undone is tried again. */
  async wake(trx: Trx, caller: Caller, siteId: SiteId): Promise<SiteRow> {
    const site = await this.get(trx, siteId);
    await updateManagementPath(trx, siteId, {
      management_path_armed: null,
      management_path_problem: null,
      management_path_problem_change: null,
      reconcile_requested_at: sql<Date>`now()`,
    });
    await this.#audit(trx, caller, "site.reconcile_requested", site, {});
    await notify(trx, SITE_CHANNEL, siteId);
    return site;
  }

  #checkAddress(address: string): void {
    const problem = this.#options.addresses.problemWith(address);
    if (problem) throw new SiteAddressError(problem);
  }

  async #refuseDuplicateSite(
    trx: Trx,
    customerId: CustomerId,
    { address, port, except }: { address: string; port: number; except: SiteId },
  ): Promise<void> {
    await lockAddresses(trx, customerId);
    const duplicate = await findSiteAt(trx, address, port, except);
    if (duplicate) throw new RouterAlreadyAddedError(duplicate);
  }

  #sealLogin(
    trx: Trx,
    customerId: CustomerId,
    siteId: SiteId,
    login: { username: string; password: string },
  ) {
    const text = JSON.stringify({ username: login.username, password: login.password });
    return this.#options.vault.seal(trx, customerId, adoptionLoginBinding(siteId), new Secret(text));
  }

  #audit(trx: Trx, caller: Caller, action: string, site: SiteRow, detail: Record<string, unknown>) {
    return record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "site",
      subjectId: site.id,
      siteId: site.id,
      detail,
    });
  }
}

/** What ties a sealed adoption login to its place; the table is the one it was in at first. */
export function adoptionLoginBinding(siteId: SiteId) {
  return { table: "sites", column: "adoption_login", rowId: siteId };
}

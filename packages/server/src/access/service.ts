/** The verbs of transient access: open it for a while, end it. */
import { randomUUID } from "node:crypto";
import { opensToEveryone, type TransientAccessInput } from "@portreeve/api-schema";
import { record } from "../audit/index.ts";
import { notify, type Trx } from "../database/index.ts";
import { actorOf, type Caller } from "../kernel/actor.ts";
import type { PolicyService } from "../policies/index.ts";
import { lockSite, SiteNotFoundError, SiteNotReadyError, type SiteService } from "../sites/index.ts";
import { PASSWORD_LENGTHS, Secret, type Vault } from "../vault/index.ts";
import { grantBinding, openPassword } from "./contributor.ts";
import {
  GrantNotFoundError,
  OpenToEveryoneError,
  PortPoolExhaustedError,
  ServiceClosedError,
} from "./errors.ts";
import {
  ACCESS_CHANNEL,
  findGrant,
  type GrantRow,
  insertGrant,
  listGrants,
  setTimestampOnce,
} from "./store.ts";

export interface TransientAccessOptions {
  readonly vault: Vault;
  readonly sites: SiteService;
  readonly policies: PolicyService;
  /** Names this process in notifications: see `GatewayControl.origin`. */
  readonly origin: string;
}

export interface RevealedGrant {
  readonly grant: GrantRow;
  readonly password: Secret | undefined;
}

export class TransientAccessService {
  readonly #options: TransientAccessOptions;

  constructor(options: TransientAccessOptions) {
    this.#options = options;
  }

  /** The site's open grants, or all of them; passwords of open ones for callers who may read them, audited. */
  async list(
    trx: Trx,
    caller: Caller,
    siteId: string,
    { ended, reveal }: { ended: boolean; reveal: boolean },
  ): Promise<RevealedGrant[]> {
    await this.#options.sites.get(trx, siteId);
    return this.#reveal(trx, caller, siteId, await listGrants(trx, siteId, ended), reveal);
  }

  async get(trx: Trx, caller: Caller, siteId: string, id: string): Promise<RevealedGrant> {
    const [revealed] = await this.#reveal(trx, caller, siteId, [await this.find(trx, siteId, id)], true);
    return revealed as RevealedGrant;
  }

  /**
   * Commit a grant: its port, its login, its end. The gateway opens the port and the reconciler makes the router's
   * user when the transaction commits; a connection that comes before the user is there waits for it.
   */
  async open(trx: Trx, caller: Caller, siteId: string, input: TransientAccessInput): Promise<RevealedGrant> {
    const { vault, sites } = this.#options;
    await this.#checkSite(trx, siteId, input.type);
    const source = sourceOf(input, caller);
    const everyone = source.allow_only_cidr !== null && opensToEveryone([source.allow_only_cidr]);
    if (everyone && !caller.scopes.has("access:open-any")) throw new OpenToEveryoneError();
    const id = randomUUID();
    const password = Secret.generate(PASSWORD_LENGTHS.access);
    const grant = {
      id,
      customer_id: caller.customerId,
      site_id: siteId,
      token_id: caller.tokenId,
      type: input.type,
      username: Secret.generate(PASSWORD_LENGTHS.access).reveal(),
      password: await vault.seal(trx, caller.customerId, grantBinding(id), password),
      full_access: input.full_access,
      allow_rfc1918: input.allow_rfc1918,
      ...source,
      reason: input.reason ?? null,
    };
    if (!(await insertGrant(trx, grant, input.expire_after_minutes))) throw new PortPoolExhaustedError();
    const { type, full_access, allow_rfc1918, expire_after_minutes } = input;
    await this.#audit(trx, caller, "access.opened", siteId, id, {
      type,
      full_access,
      allow_rfc1918,
      expire_after_minutes,
      ...source,
      reason: grant.reason,
      whole_internet: everyone,
    });
    await sites.bumpGeneration(trx, [siteId]);
    await this.#announce(trx, id);
    return { grant: await this.find(trx, siteId, id), password };
  }

  /** End a grant now. Ending an ended one changes nothing. @returns whether it was this call that ended it */
  async revoke(trx: Trx, caller: Caller, siteId: string, id: string): Promise<boolean> {
    const grant = await this.find(trx, siteId, id);
    if (!grant.is_open) return false;
    const first = await setTimestampOnce(trx, [id], "revoked_at");
    if (first.length === 0) return false;
    await this.#audit(trx, caller, "access.revoked", siteId, id, {});
    await this.#options.sites.bumpGeneration(trx, [siteId]);
    await this.#announce(trx, id);
    return true;
  }

  async #checkSite(trx: Trx, siteId: string, type: "winbox" | "ssh"): Promise<void> {
    const site = await lockSite(trx, siteId);
    if (!site) throw new SiteNotFoundError();
    if (site.status === "deleting") throw new SiteNotReadyError("The site is being deleted.");
    if (site.management_address === null) throw new SiteNotReadyError("The router has not been adopted yet.");
    const policy = await this.#options.policies.ofSite(trx, siteId);
    if (!policy.services[type]?.enabled) throw new ServiceClosedError(type);
  }

  #announce(trx: Trx, id: string): Promise<void> {
    return notify(trx, ACCESS_CHANNEL, `${id} ${this.#options.origin}`);
  }

  /** @throws GrantNotFoundError */
  async find(trx: Trx, siteId: string, id: string): Promise<GrantRow> {
    const grant = await findGrant(trx, siteId, id);
    if (!grant) throw new GrantNotFoundError();
    return grant;
  }

  async #reveal(
    trx: Trx,
    caller: Caller,
    siteId: string,
    grants: GrantRow[],
    wanted: boolean,
  ): Promise<RevealedGrant[]> {
    const readable =
      wanted && caller.scopes.has("credentials:reveal") ? grants.filter(({ is_open }) => is_open) : [];
    const passwords = new Map<string, Secret>();
    for (const grant of readable) {
      passwords.set(grant.id, await openPassword(trx, this.#options.vault, grant));
      await this.#audit(trx, caller, "access.revealed", siteId, grant.id, {});
    }
    return grants.map((grant) => ({ grant, password: passwords.get(grant.id) }));
  }

  #audit(
    trx: Trx,
    caller: Caller,
    action: string,
    siteId: string,
    id: string,
    detail: NonNullable<Parameters<typeof record>[2]["detail"]>,
  ) {
    return record(trx, actorOf(caller), {
      customerId: caller.customerId,
      action,
      subjectType: "transient_access",
      subjectId: id,
      siteId,
      detail,
    });
  }
}

/** Without a source the caller's own address is the only one; the whole internet has to be spelt out. */
function sourceOf(
  input: TransientAccessInput,
  caller: Caller,
): { allow_only_ip: string | null; allow_only_cidr: string | null } {
  const allow_only_ip = input.allow_only_ip ?? null;
  const allow_only_cidr = input.allow_only_cidr ?? null;
  if (allow_only_ip === null && allow_only_cidr === null)
    return { allow_only_ip: caller.address, allow_only_cidr };
  return { allow_only_ip, allow_only_cidr };
}

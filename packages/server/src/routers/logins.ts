/** The logins of a site, in the clear. */
import { type Login, listCredentials, openLogin } from "../credentials/index.ts";
import type { Trx } from "../database/index.ts";
import { adoptionLoginBinding, findSite, SiteNotReadyError, type SiteRow } from "../sites/index.ts";
import { Secret, type Vault } from "../vault/index.ts";

export interface Logins {
  readonly site: SiteRow;
  /** Proven. */
  readonly active: Login | undefined;
  /** Kept, and perhaps on the router already. */
  readonly pending: Login | undefined;
  /** Somebody else's, given to adopt the router with. */
  readonly adoptionLogin: { readonly username: string; readonly password: Secret } | undefined;
}

/** @throws SiteNotReadyError the site is gone */
export async function loadLogins(trx: Trx, vault: Vault, siteId: string): Promise<Logins> {
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
}

async function openAdoptionLogin(trx: Trx, vault: Vault, site: SiteRow): Promise<Logins["adoptionLogin"]> {
  if (site.adoption_login === null) return undefined;
  const sealed = await vault.open(trx, site.customer_id, adoptionLoginBinding(site.id), site.adoption_login);
  const { username, password } = JSON.parse(sealed.reveal()) as { username: string; password: string };
  return { username, password: new Secret(password) };
}

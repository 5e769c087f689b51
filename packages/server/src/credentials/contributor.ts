import type { Contributor } from "../reconcile/index.ts";
import type { Vault } from "../vault/index.ts";
import { desired } from "./desired.ts";
import { listCredentials, openLogin } from "./store.ts";

/** This module among the contributors. */
export const CREDENTIALS = "credentials";

/**
 * Our API user and its group, for the reconciler. The active password goes along for the one case in which somebody
 * removed the user while we were logged in: it is added again with it, never without one. An existing user's
 * password is not compared or set; rotation does that and proves it.
 */
export function credentialContributor(vault: Vault, username: string): Contributor {
  return {
    name: CREDENTIALS,
    async load(trx, siteId) {
      const active = (await listCredentials(trx, siteId)).find(({ state }) => state === "active");
      const password = active && { of: CREDENTIALS, id: active.id };
      return { desired: (router) => desired(username, password, router) };
    },
    async openSecret(trx, siteId, id) {
      const row = (await listCredentials(trx, siteId)).find((candidate) => candidate.id === id);
      if (!row) throw new Error(`site ${siteId} has no credential ${id}`);
      return (await openLogin(trx, vault, row)).password;
    },
  };
}

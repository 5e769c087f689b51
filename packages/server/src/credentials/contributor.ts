import type { Contributor } from "../reconcile/index.ts";
import type { Secret, Vault } from "../vault/index.ts";
import { desired } from "./desired.ts";
import { listCredentials, openLogin } from "./store.ts";

/**
 * Our API user and its group, for the reconciler. The active password goes along for the one case in which somebody
 * removed the user while we were logged in: it is added again with it, never without one. An existing user's
 * password is not compared or set; rotation does that and proves it.
 */
export function credentialContributor(vault: Vault, username: string): Contributor<Secret | undefined> {
  return {
    name: "credentials",
    async load(trx, siteId) {
      const active = (await listCredentials(trx, siteId)).find(({ state }) => state === "active");
      return active && (await openLogin(trx, vault, active)).password;
    },
    desired: (password, router) => desired(username, password, router),
  };
}

/**
 * Adoption: with the login that was given once, make a user of our own on the router.
 *
 *   checking -> installing -> proving -> (ended)
 *
 * - checking: does a login of ours work already? Then that is it. Otherwise a new one is kept, before any router
 *   hears of it.
 * - installing: come in with the given login; make our group and user. May be repeated.
 * - proving: come in with our own login; only then is the given one destroyed. Refused: back to installing.
 */
import { LoginError, parseVersion } from "@portreeve/routeros";
import { insertPending } from "../../credentials/index.ts";
import { NeedsAttentionError } from "../../reconcile/index.ts";
import {
  findDuplicateSite,
  lockIdentities,
  type RouterIdentity,
  recordAdopted,
  SiteNotReadyError,
  type SiteRow,
} from "../../sites/index.ts";
import { inspect } from "../inspect.ts";
import { managementAddressOf } from "../login.ts";
import { installOurUser } from "./install-user.ts";
import { proven } from "./prove.ts";
import { end, enter } from "./store.ts";
import type { Transition, WorkflowContext } from "./types.ts";

export type AdoptState = "checking" | "installing" | "proving";

export const adopt: Record<AdoptState, Transition> = {
  async checking(context, { logins, signal }) {
    const { site, pending } = logins;
    const connected = await context.logins.connectWithOurs(logins, signal);
    if (connected && connected.login === pending) {
      return proven(context, site, { login: pending, connected, address: undefined, signal });
    }
    if (connected) {
      await context.database.asSystem(async (trx) => {
        await lockIdentities(trx, [site.id]);
        await recordAdopted(trx, site.id, managementAddressOf(site));
        await end(trx, site.id, "adopt");
      });
      return context.logins.keep(site, connected.login, connected);
    }
    if (!logins.adoptionLogin) {
      throw new SiteNotReadyError("No login is known for this router; PATCH the site with one.");
    }
    await context.database.asSystem(async (trx) => {
      await lockIdentities(trx, [site.id]);
      if (!pending) await insertPending(trx, context.vault, site, context.username);
      await enter(trx, site, { kind: "adopt", state: "installing" });
    });
  },

  async installing(context, { logins, signal }) {
    const { site, pending, adoptionLogin } = logins;
    if (!pending || !adoptionLogin) return restart(context, site);
    const given = await context.logins.connect(site, adoptionLogin, signal).catch((error: unknown) => {
      if (error instanceof LoginError) return error;
      throw error;
    });
    // It may be refused because our work is done already: the login that was given has been changed or taken away since.
    if (given instanceof LoginError) {
      const connected = await context.logins.connectWithOurs(logins, signal);
      if (!connected) throw given;
      if (connected.login !== pending) {
        connected.client.close();
        return restart(context, site);
      }
      return proven(context, site, { login: pending, connected, address: undefined, signal });
    }
    await using client = given.client;
    const router = await inspect(client, signal);
    await refuseDuplicateSite(context, site, router);
    const version = parseVersion(router.version);
    const managementAddress = await installOurUser(client, {
      version,
      given: adoptionLogin.username,
      login: pending,
      signal,
    });
    await context.database.asSystem((trx) =>
      enter(trx, site, { kind: "adopt", state: "proving", detail: { managementAddress } }),
    );
  },

  async proving(context, { logins, row, signal }) {
    const { site, pending } = logins;
    if (!pending) return restart(context, site);
    const { managementAddress: address } = (row?.detail ?? {}) as { managementAddress?: string };
    try {
      const connected = await context.logins.connect(site, pending, signal);
      await proven(context, site, { login: pending, connected, address, signal });
    } catch (error) {
      if (error instanceof LoginError) {
        await context.database.asSystem((trx) => enter(trx, site, { kind: "adopt", state: "installing" }));
      }
      throw error;
    }
  },
};

/** What it was about is gone: somebody gave another login, or took the site back to where it was. */
function restart({ database }: WorkflowContext, site: SiteRow): Promise<void> {
  return database.asSystem((trx) => end(trx, site.id, "adopt"));
}

/** Adopting a router twice would take the first site's login away. Before anything is changed on it. */
async function refuseDuplicateSite(
  { database }: WorkflowContext,
  site: SiteRow,
  { serialNumber }: RouterIdentity,
): Promise<void> {
  if (serialNumber === null) return; // x86 and CHR have none
  const duplicate = await database.asSystem((trx) => findDuplicateSite(trx, site, serialNumber));
  if (!duplicate) return;
  throw new NeedsAttentionError(
    `this router (serial number ${serialNumber}) is the site ${duplicate.name} (${duplicate.id}) already; delete one of the two`,
  );
}

/**
 * Rotation: the new password is set, never a user removed and added again, so there is no moment without a working
 * login. The new one counts only once it has logged in.
 *
 *   setting -> proving -> (ended)
 *
 * - setting: come in with the active login; set the pending password. The active one refused: the router may have
 *   the new one already, which is proved then.
 * - proving: come in with the pending login. Refused: once more to setting, because the answer may have been lost on
 *   its way to the router.
 */
import { LoginError } from "@portreeve/routeros";
import { type Login, replacePending } from "../../credentials/index.ts";
import { offerPassword } from "./offer-password.ts";
import { proven } from "./prove.ts";
import { end, enter } from "./store.ts";
import type { Transition } from "./types.ts";

export type RotateState = "setting" | "proving";

export const rotate: Record<RotateState, Transition> = {
  async setting(context, { logins, row, signal }) {
    const { database, vault } = context;
    const { site, pending } = logins;
    if (!pending) return database.asSystem((trx) => end(trx, site.id, "rotate"));
    const connected = await context.logins.connectWithOurs(logins, signal);
    if (!connected) throw new Error(`site ${site.id} has no login to rotate`);
    if (connected.login === pending) {
      return proven(context, site, { login: pending, connected, address: undefined, signal });
    }
    await using client = connected.client;
    const keep = (candidate: Login) =>
      database.asSystem((trx) =>
        replacePending(trx, vault, site.customer_id, candidate.id, candidate.password),
      );
    await offerPassword(client, pending, keep, signal);
    await database.asSystem((trx) =>
      enter(trx, site, { kind: "rotate", state: "proving", detail: { ...row?.detail } }),
    );
  },

  async proving(context, { logins, row, signal }) {
    const { site, pending } = logins;
    if (!pending) return context.database.asSystem((trx) => end(trx, site.id, "rotate"));
    try {
      const connected = await context.logins.connect(site, pending, signal);
      await proven(context, site, { login: pending, connected, address: undefined, signal });
    } catch (error) {
      if (!(error instanceof LoginError)) throw error;
      const { wasRefused = false } = (row?.detail ?? {}) as { wasRefused?: boolean };
      const detail = { wasRefused: !wasRefused };
      await context.database.asSystem((trx) =>
        enter(trx, site, { kind: "rotate", state: "setting", detail }),
      );
      if (wasRefused) throw error;
    }
  },
};

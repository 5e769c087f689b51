/** The end that adoption and rotation share: a pending login has logged in. */
import { record } from "../../audit/index.ts";
import { activate, type Login } from "../../credentials/index.ts";
import { lockIdentities, recordAdopted, type SiteRow } from "../../sites/index.ts";
import type { Connected } from "../connect.ts";
import { seenFrom } from "../inspect.ts";
import { end } from "./store.ts";
import type { Moment, WorkflowContext } from "./types.ts";

/**
 * Write down that a pending login works, whatever came before, and keep its connection for the run that follows.
 * @param address where the router sees us come from, if an earlier transition has found that out
 */
export async function proven(
  { database, logins }: WorkflowContext,
  site: SiteRow,
  {
    login,
    connected,
    address,
    signal,
  }: { login: Login; connected: Connected; address: string | undefined } & Pick<Moment, "signal">,
): Promise<void> {
  try {
    const known = address ?? site.management_address;
    const managementAddress = known ?? (await seenFrom(connected.client, login.username, signal));
    const action = known === null || address !== undefined ? "site.adopted" : "credential.rotated";
    await database.asSystem(async (trx) => {
      await lockIdentities(trx, [site.id]);
      await activate(trx, site.id, login.id);
      await recordAdopted(trx, site.id, managementAddress);
      await end(trx, site.id, "adopt");
      await end(trx, site.id, "rotate");
      const event = { action, subjectType: "credential", subjectId: login.id, siteId: site.id };
      await record(trx, { kind: "system", part: "reconciler" }, { customerId: site.customer_id, ...event });
    });
  } catch (error) {
    connected.client.close();
    throw error;
  }
  logins.keep(site, login, connected);
}

/** Our own group and user on a router, made with somebody else's login. */
import type { RouterClient, RouterOsVersion } from "@portreeve/routeros";
import { CREDENTIALS, desiredUser, type Login } from "../../credentials/index.ts";
import { checkLease } from "../../database/index.ts";
import { plan, readsOf } from "../../reconcile/index.ts";
import { deliver } from "../api/deliver.ts";
import { observe } from "../api/observe.ts";
import { seenFrom } from "../inspect.ts";

interface Installation {
  readonly signal: AbortSignal;
  readonly version: RouterOsVersion;
  /** Name of the user we are logged in as. */
  readonly given: string;
  readonly login: Login;
}

/**
 * Create or take over our group and user on a router we are logged in to with somebody else's login.
 * Nothing of the given login's user is touched. May be repeated after a crash at any point.
 * @returns the address the router sees us come from; the new login is not proven yet
 * @throws StepError the router refused (most often: the given user lacks the `policy` right)
 */
export async function installOurUser(
  client: RouterClient,
  { version, given, login, signal }: Installation,
): Promise<string> {
  checkLease();
  const managementAddress = await seenFrom(client, given, signal);
  const router = { version, managementAddress, offboarding: false, observed: new Map() };
  const rows = desiredUser(login.username, { of: CREDENTIALS, id: login.id }, router);
  const { steps } = plan(rows, await observe(client, readsOf(rows, version), signal), version);
  await deliver(steps, client, { signal, open: async () => login.password });
  // A user of our name that was there before keeps its password through a plan; it has to be set.
  const added = steps.some((step) => step.menu === "/user" && step.command === "add");
  if (!added) await setPassword(client, login, signal);
  return managementAddress;
}

/** Give our user on the router this password. @throws TrapError the router refuses it; the old one stays */
export async function setPassword(client: RouterClient, login: Login, signal: AbortSignal): Promise<void> {
  const [row] = await client.print("/user", {
    proplist: [".id", "name"],
    queries: [`?name=${login.username}`],
    signal,
  });
  if (row?.[".id"] === undefined) throw new Error(`the router has no user ${login.username}`);
  checkLease();
  await client.set("/user", row[".id"], { password: login.password.reveal() }, { signal });
}

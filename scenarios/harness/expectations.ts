/** Assertions in the words of the product. */
import type { Credential, Policy, RolloutDetails, Site } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { type WaitOptions, waitFor } from "@portreeve/testing";
import { expect } from "vitest";
import { type ApiClient, expectStatus } from "./api.ts";

export async function readSite(api: ApiClient, id: string): Promise<Site> {
  return expectStatus(await api.get(`/v1/sites/${id}`), 200);
}

/** The site reaches this state; the site as it then is. */
export async function expectSync(
  api: ApiClient,
  id: string,
  state: Site["sync"]["state"],
  options?: WaitOptions,
): Promise<Site> {
  let last: Site | undefined;
  const reached = async () => {
    last = await readSite(api, id);
    return last.sync.state === state && last;
  };
  return waitFor(reached, { what: `the site to be ${state}`, seen: () => last, ...options });
}

/**
 * The site is checked as often from now on: whatever Portreeve would do with it, it has had the chance to do. A check
 * that has begun already may be the first, so that only the second has surely seen what stands now.
 */
export async function expectChecked(api: ApiClient, id: string, { times = 2 } = {}): Promise<void> {
  for (let count = 0; count < times; count++) {
    const before = (await readSite(api, id)).sync.checked_at;
    const isChecked = async () => (await readSite(api, id)).sync.checked_at !== before;
    await waitFor(isChecked, { what: "another check of the site" });
  }
}

/** The rollout comes to this state; the rollout as it then is. */
export async function expectRollout(
  api: ApiClient,
  id: string,
  state: RolloutDetails["state"],
  options?: WaitOptions,
): Promise<RolloutDetails> {
  let last: RolloutDetails | undefined;
  const reached = async () => {
    last = expectStatus(await api.get(`/v1/rollouts/${id}`), 200);
    return last?.state === state && last;
  };
  return waitFor(reached, { what: `the rollout to be ${state}`, seen: () => last, ...options });
}

/** Every policy is with its sites: no rollout is under way that would write something later. */
export async function expectRolledOut(api: ApiClient, options?: WaitOptions): Promise<void> {
  const areDone = async () => {
    const policies: Policy[] = expectStatus(await api.get("/v1/control-plane/policies"), 200);
    return policies.every(({ rollout }) => rollout === null);
  };
  await waitFor(areDone, { what: "the rollouts to end", ...options });
}

/** The router has what the database wants, and planning once more finds nothing to do. */
export async function expectInSync(api: ApiClient, id: string, options?: WaitOptions): Promise<Site> {
  const site = await expectSync(api, id, "in_sync", options);
  await expectNothingPlanned(api, id);
  return site;
}

export async function expectNothingPlanned(api: ApiClient, id: string): Promise<void> {
  const { steps } = expectStatus(await api.get(`/v1/sites/${id}/plan`), 200);
  expect(steps.map(({ text }: { text: string }) => text)).toEqual([]);
}

export async function credentialsOf(api: ApiClient, siteId: string): Promise<Credential[]> {
  return expectStatus(await api.get(`/v1/control-plane/${siteId}/credentials`), 200);
}

/** One of the logins Portreeve keeps for the router works; which one. */
export async function expectStoredLogin(
  api: ApiClient,
  { site, router }: { site: Site; router: Emulator },
): Promise<Credential> {
  const known = await credentialsOf(api, site.id);
  const from = site.management_address ?? "";
  const works = known.find(({ username, password, state }) => {
    return state !== "retired" && router.control.wouldAuthenticate(username, password ?? "", from);
  });
  if (!works) throw new Error(`none of ${known.length} stored logins of ${site.id} works on its router`);
  return works;
}

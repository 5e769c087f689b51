/** Puts the demo's routers under management, through the API like any other client. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Policy, Site } from "@portreeve/api-schema";
import type { Api } from "../client/api.ts";
import { OperatorError } from "../errors.ts";
import type { DemoRouter, FirstLogin, RouterRack } from "./routers.ts";

/** The services that would listen below 1024 move up or stay closed, so that an ordinary user can run the demo. */
const UNPRIVILEGED_SSH_PORT = 2222;

/** Adopting takes a second or two; a machine that needs longer than this has another problem, milliseconds. */
const ONLINE_WITHIN_MS = 60_000;
const POLL_MS = 100;

/**
 * Start every router with its site: as it was where both are known, fresh from the factory and adopted where one is
 * missing (the first start, an interrupted one, a site deleted by hand).
 * @returns the sites in the routers' order, online and in sync
 * @throws OperatorError a site did not come online, with the reason
 */
export async function adoptRouters(api: Api, rack: RouterRack): Promise<Site[]> {
  const sites = await listSites(api);
  const pairs = rack.routers.map((router) => {
    const site = sites.find(({ address }) => address === router.address);
    return { router, site, kept: rack.isKnown(router) ? site : undefined };
  });
  if (pairs.some(({ kept }) => kept === undefined)) await openUnprivilegedPorts(api);
  const ids: string[] = [];
  for (const { router, site, kept } of pairs) {
    if (kept) {
      await rack.start(router);
      await api.request("POST", `/v1/sites/${kept.id}/reconcile`);
      ids.push(kept.id);
    } else {
      if (site) await api.request("DELETE", `/v1/sites/${site.id}?force=true`);
      ids.push(await addSite(api, router, await rack.startAnew(router)));
    }
  }
  return Promise.all(ids.map((id) => whenInSync(api, id)));
}

async function listSites(api: Api): Promise<readonly Site[]> {
  const { data } = (await api.request("GET", "/v1/sites?limit=200")) as { data: Site[] };
  return data;
}

/** The default policy opens SSH on port 22; here on a port that needs no privileges. */
async function openUnprivilegedPorts(api: Api): Promise<void> {
  const policies = (await api.request("GET", "/v1/control-plane/policies")) as Policy[];
  const found = policies.find((policy) => policy.default);
  if (!found) throw new Error("there is no default policy");
  const { id, slug, default: _, rollout, sites, warnings, created_at, updated_at, ...input } = found;
  await api.request("PUT", `/v1/control-plane/policies/${id}`, {
    ...input,
    ssh: { ...input.ssh, port: UNPRIVILEGED_SSH_PORT },
  });
}

async function addSite(api: Api, router: DemoRouter, login: FirstLogin): Promise<string> {
  const input = { name: router.identity, address: router.address, ...login };
  return ((await api.request("POST", "/v1/sites", input)) as Site).id;
}

async function whenInSync(api: Api, id: string): Promise<Site> {
  const deadline = performance.now() + ONLINE_WITHIN_MS;
  for (;;) {
    const site = (await api.request("GET", `/v1/sites/${id}`)) as Site;
    if (site.status === "online" && site.sync.state === "in_sync") return site;
    if (performance.now() > deadline) {
      const { status, sync } = site;
      throw new OperatorError(
        `${site.name} did not come online: it is ${status}, ${sync.reason ?? sync.state}`,
      );
    }
    await sleep(POLL_MS);
  }
}

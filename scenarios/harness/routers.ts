/** Emulated routers, each on an address of its own, and the sites that stand for them. */
import type { Policy, Site } from "@portreeve/api-schema";
import { type Emulator, type EmulatorOptions, startEmulator } from "@portreeve/emulator";
import { type ApiClient, expectStatus } from "./api.ts";
import { expectInSync } from "./expectations.ts";
import type { LoopbackNet } from "./network.ts";
import { PORTS, type PolicyChange, policyOf } from "./policies.ts";

export const ADMIN = { username: "admin", password: "given-Router-1-password" };

const ROUTER_PORTS = {
  telnet: PORTS.telnet,
  ftp: PORTS.ftp,
  www: PORTS.http,
  ssh: PORTS.ssh,
  "www-ssl": PORTS.https,
  api: PORTS.api,
  winbox: PORTS.winbox,
  "api-ssl": PORTS.api_ssl,
  "reverse-proxy": 2444,
} as const;

export function startRouter(net: LoopbackNet, options: EmulatorOptions = {}): Promise<Emulator> {
  return startEmulator({ address: net.address(), ports: ROUTER_PORTS, ...ADMIN, ...options });
}

/** What POST /v1/sites takes for this router. */
export function siteOf(router: Emulator, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: `site ${router.address}`,
    address: router.address,
    api_port: router.port("api"),
    ...ADMIN,
    ...change,
  };
}

/** Of a router that tells nothing of changes: what is made by hand stays until the next reading. */
export const TELLS_NOTHING = { listening: { "*": "silent" } } as const;

/** Add a site for the router; the answer. It is not adopted yet. */
async function addSite(api: ApiClient, router: Emulator, change = {}): Promise<Site> {
  return expectStatus(await api.post("/v1/sites", siteOf(router, change)), 201);
}

export async function createPolicy(api: ApiClient, change: PolicyChange = {}): Promise<Policy> {
  return expectStatus(await api.post("/v1/control-plane/policies", policyOf(change)), 201);
}

/** Make the customer's default policy one whose ports the emulated routers can bind. */
export async function useBindablePorts(api: ApiClient): Promise<Policy> {
  const policies: Policy[] = expectStatus(await api.get("/v1/control-plane/policies"), 200);
  const first = policies.find((policy) => policy.default);
  const body = policyOf({ name: "Default Policy" });
  return expectStatus(await api.put(`/v1/control-plane/policies/${first?.id}`, body), 200);
}

/** Add a site for the router and wait until Portreeve manages it. */
export async function adopt(api: ApiClient, router: Emulator, change = {}): Promise<Site> {
  const site = await addSite(api, router, change);
  return expectInSync(api, site.id);
}

export interface ManagedRouter {
  readonly router: Emulator;
  readonly site: Site;
}

/** A running router that Portreeve manages. The caller closes `router`. */
export async function startManagedRouter(
  server: { readonly api: ApiClient; readonly net: LoopbackNet },
  options: EmulatorOptions = {},
): Promise<ManagedRouter> {
  const router = await startRouter(server.net, options);
  try {
    return { router, site: await adopt(server.api, router) };
  } catch (error) {
    await router.close();
    throw error;
  }
}

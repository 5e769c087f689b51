/** For tests: what a server might have. */
import { type Policy, type PolicyInput, policyInput, type Site } from "@portreeve/api-schema";
import type { Current } from "./resolve.ts";

const MANAGEMENT_NETWORK = "100.64.0.1/32";

const closed = (port: number) => ({ enabled: false, port, networks: [] });

/** What a request for a policy says. */
export function inputNamed(name: string, change: Partial<PolicyInput> = {}): PolicyInput {
  return policyInput.parse({
    name,
    winbox: { enabled: true, port: 8291, networks: ["10.0.0.0/8"] },
    ssh: { enabled: true, port: 22, networks: [] },
    http: closed(80),
    https: closed(443),
    telnet: closed(23),
    ftp: closed(21),
    api: { enabled: true, port: 8728, networks: [MANAGEMENT_NETWORK] },
    api_ssl: closed(8729),
    ...change,
  });
}

/** A policy as the API answers it. Its id and slug follow from its name and number. */
export function policyNamed(name: string, change: Partial<Policy> = {}, number = 1): Policy {
  return {
    ...inputNamed(name),
    id: `id of ${name} ${number}`,
    slug: `${name}-000000000${number}`,
    default: false,
    rollout: null,
    created_at: "08 Nov 2023 18:23:11",
    updated_at: "08 Nov 2023 18:23:11",
    ...change,
  };
}

/** A site under a policy. */
export function siteNamed(name: string, policy: Policy, change: Partial<Site> = {}): Site {
  return {
    id: `id of ${name}`,
    name,
    address: "192.0.2.1",
    api_port: 8728,
    management_transport: "api",
    tls_fingerprint: null,
    certificate: null,
    management_address: null,
    status: "online",
    policy_id: policy.id,
    identity: null,
    model: null,
    serial_number: null,
    version: null,
    last_seen_at: null,
    sync: { state: "in_sync", reason: null, checked_at: null },
    metered: false,
    traffic: { bytes_sent: 0, bytes_received: 0, since: "2026-11-22T18:23:11.000Z" },
    created_at: "2026-11-22T18:23:11.000Z",
    updated_at: "2026-11-22T18:23:11.000Z",
    ...change,
  };
}

export function current(policies: readonly Policy[], sites: readonly Site[] = []): Current {
  return { policies, sites, managementNetwork: MANAGEMENT_NETWORK };
}

/** A policy in a fleet file, closed but for the API; `more` stands below it. */
export function yamlPolicy(key: string, more = ""): string {
  const services = [
    ["winbox", 8291],
    ["ssh", 22],
    ["http", 80],
    ["https", 443],
    ["telnet", 23],
    ["ftp", 21],
    ["api_ssl", 8729],
  ].map(([name, port]) => `    ${name}: { enabled: false, port: ${port}, networks: [] }\n`);
  const api = `    api: { enabled: true, port: 8728, networks: [${MANAGEMENT_NETWORK}] }\n`;
  return `  ${key}:\n${services.join("")}${api}${more}`;
}

import { z } from "zod";
import { documentTime, managementTransport, networkList, uuid } from "./fields.ts";
import { rolloutOfPolicy } from "./rollouts.ts";

/** The eight management services under the names the API uses, in the order its documents list them. */
export const SERVICE_NAMES = ["winbox", "ssh", "http", "https", "telnet", "ftp", "api", "api_ssl"] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

const port = z
  .int("must be a whole number from 1 to 65535")
  .min(1, "must be from 1 to 65535")
  .max(65535, "must be from 1 to 65535");

/** One management service as a request gives it. */
const serviceInput = z.strictObject({ enabled: z.boolean(), port, networks: networkList.nullable() }).meta({
  id: "ServiceInput",
  description: "One management service. networks: null or [] means none given.",
});

/** One management service as an answer shows it. */
const service = z
  .strictObject({ enabled: z.boolean(), port: z.int(), networks: z.array(z.string()).nullable() })
  .meta({ id: "Service" });
export type Service = z.infer<typeof service>;

export function eight<Schema>(schema: Schema): Record<ServiceName, Schema> {
  return Object.fromEntries(SERVICE_NAMES.map((name) => [name, schema])) as Record<ServiceName, Schema>;
}

/** Beyond the eight services; every one has a default. */
const trustedNetworks = "Who may reach an enabled service that names no networks.";
const options = {
  custom_input_rules: z.boolean().describe("true: the router's own input rules stay ahead of ours."),
  brute_force_protection: z.boolean(),
  drift: z
    .enum(["repair", "report"])
    .describe("What happens to a change made by hand on a router: it is undone, or it is shown and stays."),
  management_transport: managementTransport.describe("The service Portreeve itself connects to."),
};

export const DEFAULT_TRUSTED_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

export const policyInput = z
  .strictObject({
    name: z.string().trim().min(1, "must not be empty").max(20, "must be at most 20 characters"),
    ...eight(serviceInput),
    trusted_networks: networkList.describe(trustedNetworks).default(DEFAULT_TRUSTED_NETWORKS),
    custom_input_rules: options.custom_input_rules.default(true),
    brute_force_protection: options.brute_force_protection.default(false),
    drift: options.drift.default("repair"),
    management_transport: options.management_transport.default("api"),
  })
  .superRefine((policy, context) => {
    refuseSharedPorts(policy, context);
    refuseClosingManagementPath(policy, context);
  })
  .meta({ id: "PolicyInput" });
export type PolicyInput = z.infer<typeof policyInput>;

/** A change that would end the caller's own access is refused, unless it says why it is wanted. */
const lockOut = {
  lock_out_reason: z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(500, "must be at most 500 characters")
    .optional()
    .describe(
      "Why this change may end your own access; kept in the audit. Without it such a change is refused.",
    ),
};

export const policyChange = policyInput.safeExtend(lockOut).meta({ id: "PolicyChange" });
export type PolicyChange = z.infer<typeof policyChange>;

type Refinement = z.core.$RefinementCtx<PolicyInput>;

function refuseSharedPorts(policy: PolicyInput, context: Refinement): void {
  const holders = new Map<number, ServiceName>();
  for (const name of SERVICE_NAMES) {
    const { enabled, port } = policy[name];
    // Closed or not, these two hold their ports: both are open while a site moves from one to the other.
    if (!enabled && name !== "api" && name !== "api_ssl") continue;
    const holder = holders.get(port);
    if (holder === undefined) holders.set(port, name);
    else {
      const message = `port ${port} is already used by ${holder}; give each enabled service its own port, and api and api_ssl in any case`;
      context.addIssue({ code: "custom", path: [name, "port"], message });
    }
  }
}

/** A policy must not close the service that Portreeve itself uses: Portreeve could never open it again. */
function refuseClosingManagementPath(policy: PolicyInput, context: Refinement): void {
  const managementPath = policy.management_transport === "api" ? "api" : "api_ssl";
  if (policy[managementPath].enabled) return;
  const message = `must be true: Portreeve manages routers through ${managementPath} (management_transport)`;
  context.addIssue({ code: "custom", path: [managementPath, "enabled"], message });
}

export const policy = z
  .strictObject({
    id: uuid,
    name: z.string(),
    slug: z.string(),
    ...eight(service),
    trusted_networks: z.array(z.string()).describe(trustedNetworks),
    ...options,
    default: z.boolean(),
    rollout: rolloutOfPolicy,
    sites: z.array(uuid).optional().describe("Only in the answer to attaching sites."),
    warnings: z.array(z.string()).optional().describe("Services opened to the whole internet."),
    created_at: documentTime,
    updated_at: documentTime,
  })
  .meta({ id: "Policy" });
export type Policy = z.infer<typeof policy>;

/** An enabled service that names networks keeps Portreeve's own first among them; PUT and attach see to it. */
export const managementNetwork = z
  .strictObject({ network: z.string().meta({ example: "100.64.0.1/32" }) })
  .meta({ id: "ManagementNetwork" });
export type ManagementNetwork = z.infer<typeof managementNetwork>;

/**
 * A service as PUT and attach store it: an enabled one's list starts with the management network. A service without
 * a list keeps none: it means "the trusted networks", and a list of one would mean "only Portreeve".
 */
export function admitManagement(service: Service, network: string): Service {
  if (!service.enabled || !service.networks?.length) return service;
  return { ...service, networks: [network, ...service.networks.filter((one) => one !== network)] };
}

export const attachSites = z
  .strictObject({ sites: z.array(uuid).max(10_000), ...lockOut })
  .meta({ id: "AttachSites" });
export type AttachSites = z.infer<typeof attachSites>;

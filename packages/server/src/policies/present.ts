import { opensToEveryone, type Policy, SERVICE_NAMES, type Service } from "@portreeve/api-schema";
import { documentTime } from "../kernel/document-time.ts";
import type { PolicyContent, PolicyRow } from "./store.ts";

/** @param sites given only in the answer to attaching */
export function presentPolicy(row: PolicyRow, sites?: readonly string[]): Policy {
  const warnings = warningsOf(row);
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    ...(row.services as Record<(typeof SERVICE_NAMES)[number], Service>),
    trusted_networks: row.trusted_networks,
    custom_input_rules: row.custom_input_rules,
    brute_force_protection: row.brute_force_protection,
    drift: row.drift,
    management_transport: row.management_transport,
    default: row.is_default,
    rollout: row.rollout_id && row.rollout_state ? { id: row.rollout_id, state: row.rollout_state } : null,
    ...(sites ? { sites: [...sites] } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    created_at: documentTime(row.created_at),
    updated_at: documentTime(row.updated_at),
  };
}

/** The whole internet may be let in when it is spelt out; it is never let in without a word. */
export function warningsOf(row: Pick<PolicyContent, "services" | "trusted_networks">): string[] {
  return SERVICE_NAMES.flatMap((name) => {
    const service = row.services[name];
    if (!service?.enabled) return [];
    const networks = service.networks?.length ? service.networks : row.trusted_networks;
    return opensToEveryone(networks) ? [`${name} is open to the whole internet`] : [];
  });
}

/** Where two policies differ, field by field. Pure. */
import {
  admitManagement,
  type Policy,
  type PolicyInput,
  policyInput,
  SERVICE_NAMES,
} from "@portreeve/api-schema";

export interface Difference {
  /** `ssh.networks` */
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** The fields of a policy that a request sets. */
export function inputOf(policy: Policy): PolicyInput {
  const fields = Object.keys(policyInput.shape) as (keyof PolicyInput)[];
  return Object.fromEntries(fields.map((field) => [field, policy[field]])) as PolicyInput;
}

/**
 * What storing `after` in the place of `before` would change. The server puts the management network into the lists
 * of enabled services, so a list with it and one without it are the same.
 */
export function differences(
  before: PolicyInput,
  after: PolicyInput,
  managementNetwork: string,
): Difference[] {
  const was = flat(before, managementNetwork);
  return Object.entries(flat(after, managementNetwork)).flatMap(([field, to]) => {
    const from = was[field] ?? "";
    return from === to ? [] : [{ field, from, to }];
  });
}

/** `{"name": "edge", "ssh.enabled": "true", "ssh.port": "22", "ssh.networks": "10.0.0.0/8", …}` */
function flat(input: PolicyInput, managementNetwork: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [field, value] of Object.entries(input)) {
    const service = SERVICE_NAMES.find((name) => name === field);
    if (service === undefined) fields[field] = show(value);
    else {
      const { enabled, port, networks } = admitManagement(input[service], managementNetwork);
      fields[`${field}.enabled`] = show(enabled);
      fields[`${field}.port`] = show(port);
      fields[`${field}.networks`] = show(networks ?? []); // null and [] both mean that none are given
    }
  }
  return fields;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  return String(value);
}

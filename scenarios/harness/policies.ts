import type { Service, ServiceName } from "@portreeve/api-schema";

/**
 * Ports an ordinary user may bind: RouterOS's own where they are unprivileged, else plus 2000. Every router has an
 * address of its own, so all can have the same.
 */
export const PORTS: Readonly<Record<ServiceName, number>> = {
  winbox: 8291,
  ssh: 2022,
  http: 2080,
  https: 2443,
  telnet: 2023,
  ftp: 2021,
  api: 8728,
  api_ssl: 8729,
};

type ServiceChange = Partial<Service>;

export type PolicyChange = { name?: string } & Partial<Record<ServiceName, ServiceChange>> &
  Record<string, unknown>;

/** A policy as a request sends it: WinBox, SSH and the API open to the loopback, everything else closed. */
export function policyOf(change: PolicyChange = {}): Record<string, unknown> {
  const open = ["winbox", "ssh", "api"];
  const services = Object.entries(PORTS).map(([name, port]) => {
    const enabled = open.includes(name);
    const service = { enabled, port, networks: enabled ? ["127.0.0.0/8"] : [] };
    return [name, { ...service, ...(change[name] as ServiceChange | undefined) }];
  });
  const rest = Object.entries(change).filter(([name]) => !(name in PORTS));
  return { name: "Scenario", ...Object.fromEntries(services), ...Object.fromEntries(rest) };
}

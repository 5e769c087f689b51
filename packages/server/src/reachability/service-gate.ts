/** `/ip service` as the second gate: a connection the packet filter lets through still meets the service's own list. */
import { parseNetwork } from "@portreeve/api-schema";
import { ipService, isSkipped, type Row, readField } from "@portreeve/routeros";
import type { Observed } from "../reconcile/types.ts";
import {
  type AddressSet,
  everybody,
  type Family,
  isEmpty,
  NOBODY,
  parseAddresses,
  unite,
} from "./address-set.ts";
import { isSet } from "./filter-table.ts";
import { familyName } from "./format.ts";

export interface ServiceGate {
  readonly port: number;
  /** Whom the service answers. */
  readonly admits: AddressSet;
  /** The setting that turns the others away, for reading; undefined when it answers everybody. */
  readonly setting: string | undefined;
}

/** @param service RouterOS's name: `www-ssl` */
export function serviceGate(observed: Observed, service: string, family: Family): ServiceGate {
  const row = serviceRow(observed, service);
  if (!row) return { port: 0, admits: NOBODY, setting: `the router has no service ${service}` };
  const port = Number(row.port);
  if (isSet(row.disabled)) return { port, admits: NOBODY, setting: `service ${service} is disabled` };
  const networks = networksOf(row);
  // Without a list everybody is answered; a list of the other family alone shuts this one out.
  if (networks.length === 0) return { port, admits: everybody(family), setting: undefined };
  const admits = unite(...networks.map((network) => parseAddresses(network, family) ?? NOBODY));
  const listed = isEmpty(admits) ? `names no ${familyName(family)} network` : "leaves it out";
  return { port, admits, setting: `the address list of service ${service} ${listed}` };
}

/** The service's own row: from 7.19 listeners and open connections are rows of its name too. */
function serviceRow(observed: Observed, service: string): Row | undefined {
  return observed.get(ipService.path)?.find((row) => row.name === service && !isSkipped(ipService, row));
}

function networksOf(row: Row): string[] {
  const text = readField(ipService.fields.address, "address", row) ?? "";
  return text.split(",").filter((network) => network !== "");
}

/** Networks in the lists of enabled services. What a router says is hostile: what is no network is left out. */
export function admittedBy(observed: Observed): string[] {
  const services = (observed.get(ipService.path) ?? []).filter(({ disabled }) => disabled !== "true");
  return services.flatMap((row) => {
    const networks = readField(ipService.fields.address, "address", row) ?? "";
    return networks.split(",").flatMap((text) => {
      const parsed = parseNetwork(text.trim());
      return "network" in parsed ? [parsed.network] : [];
    });
  });
}

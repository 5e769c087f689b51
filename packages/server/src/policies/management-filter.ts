/**
 * The packet filter a policy means on a router. Pure.
 *
 * An address list for every service, one chain that accepts who is on the list and drops everybody else, and one jump
 * into it from `input`. `/ip service` restricts the same services to the same networks, but there the port still
 * answers; the filter leaves nothing to be seen. Sessions that are open already are left to the router's own rules.
 */
import { SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import {
  anyOf,
  firewallAddressList,
  firewallFilter,
  ipv6FirewallAddressList,
  ipv6FirewallFilter,
  type MenuFacts,
} from "@portreeve/routeros";
import type { DesiredMenu, DesiredRow, RowMatch } from "../reconcile/types.ts";
import { BRUTE_FORCE_MARK, bruteForceRules } from "./brute-force.ts";
import { isWithin } from "./networks.ts";

const CHAIN = "portreeve";
const TRUSTED_LIST = "portreeve-trusted";
/** What the comments of our rows begin with. */
const MARK = "portreeve: management - ";
const OURS: RowMatch = { field: "comment", startsWith: [MARK, BRUTE_FORCE_MARK] };

/** An enabled service, and who may reach it. */
export interface OpenService {
  readonly name: ServiceName;
  readonly port: number;
  readonly networks: readonly string[];
  readonly managementPath: boolean;
}

export interface FilterFacts {
  readonly services: readonly OpenService[];
  /** The management address and the trusted networks. */
  readonly trusted: readonly string[];
  /** The router's own rules of `input` stay ahead of ours; otherwise ours come first. */
  readonly customInputRules: boolean;
  readonly bruteForceProtection: boolean;
}

interface Family {
  readonly filter: MenuFacts;
  readonly addressList: MenuFacts;
  readonly everyone: string;
}

const FAMILIES: readonly Family[] = [
  { filter: firewallFilter, addressList: firewallAddressList, everyone: "0.0.0.0/0" },
  { filter: ipv6FirewallFilter, addressList: ipv6FirewallAddressList, everyone: "::/0" },
];

/** @param facts undefined: nothing is wanted any more, and what is ours goes */
export function managementFilter(facts: FilterFacts | undefined): DesiredMenu[] {
  return FAMILIES.flatMap((family) => {
    const services = facts?.services.map((service) => inFamily(service, family)) ?? [];
    const lists = facts ? listRows(services, facts, family) : [];
    const rules = facts ? filterRows(services, facts, family) : [];
    const managementPathLists = [
      TRUSTED_LIST,
      ...services.filter(({ managementPath }) => managementPath).map(listOf),
    ];
    return [
      {
        menu: family.addressList,
        prints: [{ queries: anyOf("list", LISTS) }],
        rows: lists,
        owns: OURS,
        managementPath: facts ? { field: "list", is: managementPathLists } : "every",
      },
      { menu: family.filter, rows: rules, owns: OURS, managementPath: "every" },
    ];
  });
}

const listOf = ({ name }: Pick<OpenService, "name">): string => `portreeve-${name.replace("_", "-")}`;
/** Every list a policy can mean. */
const LISTS = [...SERVICE_NAMES.map((name) => listOf({ name })), TRUSTED_LIST];
const isIn = (network: string, { everyone }: Family): boolean =>
  network.includes(":") === everyone.includes(":");

function inFamily(service: OpenService, family: Family): OpenService {
  return { ...service, networks: service.networks.filter((network) => isIn(network, family)) };
}

function listRows(services: readonly OpenService[], facts: FilterFacts, family: Family): DesiredRow[] {
  const trusted = facts.trusted.filter((network) => isIn(network, family));
  const lists = services
    .filter(({ networks }) => !networks.includes(family.everyone))
    .map((service) => ({
      list: listOf(service),
      networks: service.networks,
      managementPath: service.managementPath,
    }));
  if (facts.bruteForceProtection) lists.push({ list: TRUSTED_LIST, networks: trusted, managementPath: true });
  return lists.flatMap(({ list, networks, managementPath }) =>
    networks.map((address) => ({
      key: `${MARK}${list.replace("portreeve-", "")} ${address}`,
      fields: { list, address, disabled: "false" },
      ...(managementPath ? { managementPath } : {}),
    })),
  );
}

function filterRows(services: readonly OpenService[], facts: FilterFacts, family: Family): DesiredRow[] {
  const rule = (comment: string, fields: Record<string, string>): DesiredRow => ({
    key: MARK + comment,
    fields: { chain: CHAIN, disabled: "false", ...fields },
    managementPath: true,
  });
  const accepted = services.filter(({ networks }) => networks.length > 0);
  return [
    ...(facts.bruteForceProtection ? counting(services, facts) : []),
    ...accepted.map((service) => {
      const isOpen = service.networks.includes(family.everyone);
      return rule(`accept ${service.name}`, {
        action: "accept",
        protocol: "tcp",
        "dst-port": String(service.port),
        ...(isOpen ? {} : { "src-address-list": listOf(service) }),
      });
    }),
    // A session that is open stays as the router's own rules have it; without connection tracking this never matches.
    rule("sessions that are open", { action: "return", "connection-state": "established,related" }),
    rule("drop who is not admitted", {
      action: "drop",
      protocol: "tcp",
      "dst-port": services.map(({ port }) => port).join(","),
    }),
    {
      ...rule("jump", {
        chain: "input",
        action: "jump",
        "jump-target": CHAIN,
        protocol: "tcp",
      }),
      // Behind a rule that ends every packet's way ours would never be reached: they stand directly before it.
      place: { chain: "input", before: facts.customInputRules ? "first-catch-all" : "first" },
    },
  ];
}

/** Is the service open to somebody who is not trusted? Connections to such a one are counted. */
export function isOpenBeyond(trusted: readonly string[], { networks }: OpenService): boolean {
  return !networks.every((network) => trusted.some((outer) => isWithin(network, outer)));
}

/** The brute-force rules stand before what accepts: who is banned is not let in by a list. */
function counting(services: readonly OpenService[], { trusted }: FilterFacts): DesiredRow[] {
  const ports = services.filter((service) => isOpenBeyond(trusted, service)).map(({ port }) => port);
  return bruteForceRules({ chain: CHAIN, ports, trustedList: TRUSTED_LIST }).map(
    ({ comment = "", ...fields }) => ({
      key: comment,
      fields: { disabled: "false", ...fields },
      managementPath: true,
    }),
  );
}

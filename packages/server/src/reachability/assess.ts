/** A change of one router, assessed before it is made: the chain it leads to, who gets in, what to know. Pure. */
import type { AccessRow, ChainRule, ServiceName } from "@portreeve/api-schema";
import {
  firewallAddressList,
  firewallFilter,
  ipService,
  ipv6FirewallAddressList,
  ipv6FirewallFilter,
  type MenuFacts,
  type Row,
} from "@portreeve/routeros";
import type { Observed } from "../reconcile/types.ts";
import { accessTable, addressesOf, rowsFor, type Source, type Sources } from "./access-table.ts";
import { type Family, familyOf, unite } from "./address-set.ts";
import { banWarnings } from "./bans.ts";
import { familyName } from "./format.ts";
import { inputChain } from "./input-chain.ts";
import { RouterView } from "./router-view.ts";
import { admittedBy } from "./service-gate.ts";
import { shadowWarnings } from "./shadows.ts";

/** What has to be read of a router to answer. */
export const ASSESSED_MENUS: readonly MenuFacts[] = [
  ipService,
  firewallFilter,
  firewallAddressList,
  ipv6FirewallFilter,
  ipv6FirewallAddressList,
];

export interface Change {
  /** The rows of `ASSESSED_MENUS`, dynamic ones included. */
  readonly before: Observed;
  /** The same menus as they will be. */
  readonly after: Observed;
  readonly sources: Sources;
  /** The router's names of the eight services. */
  readonly services: Readonly<Record<ServiceName, string>>;
  /** Is this filter rule Portreeve's? */
  readonly ours: (row: Row) => boolean;
}

export interface Assessment {
  /** Each family's chain after the change; null where the router has no such menu. */
  readonly inputChain: Record<Family, ChainRule[] | null>;
  readonly access: AccessRow[];
  readonly warnings: string[];
}

/** Rules shown of one family, at most. A router may have any number. */
const MAX_RULES = 1_000;

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

export function assess({ before, after, sources, services, ours }: Change): Assessment {
  const { rows, hidden } = rowsFor(sources, admittedBy(before));
  const view = new RouterView(after);
  const names = Object.values(services);
  const chains = { ipv4: inputChain(after, "ipv4", ours), ipv6: inputChain(after, "ipv6", ours) };
  return {
    inputChain: { ipv4: shown(chains.ipv4), ipv6: shown(chains.ipv6) },
    access: accessTable(new RouterView(before), view, rows, services),
    warnings: [
      ...FAMILIES.flatMap((family) => shadowWarnings(view, names, family, ours)),
      ...FAMILIES.flatMap((family) => banWarnings(view, names, family, operators(rows, family))),
      ...FAMILIES.flatMap((family) => cutWarning(chains[family], family)),
      ...(hidden > 0 ? [`the table leaves out ${hidden} more networks that are named`] : []),
    ],
  };
}

/** Such rules are there to ban addresses that are in none of our networks. */
function operators(rows: readonly Source[], family: Family) {
  const known = rows.filter(({ kind, network }) => kind !== "internet" && familyOf(network) === family);
  return unite(...known.map(({ network }) => addressesOf(network)));
}

const shown = (chain: ChainRule[] | undefined): ChainRule[] | null => chain?.slice(0, MAX_RULES) ?? null;

function cutWarning(chain: ChainRule[] = [], family: Family): string[] {
  if (chain.length <= MAX_RULES) return [];
  return [`of ${chain.length} rules of ${familyName(family)} the first ${MAX_RULES} are shown`];
}

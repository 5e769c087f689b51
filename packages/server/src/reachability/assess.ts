/** A change of one router, assessed before it is made: the chain it leads to, who gets in, what to know. Pure. */
import type { ServiceName } from "@portreeve/api-schema";
import type { Row } from "@portreeve/routeros";
import type { Observed } from "../reconcile/types.ts";
import { type AccessRow, accessTable, addressesOf, type Source } from "./access-table.ts";
import { type Family, familyOf, unite } from "./address-set.ts";
import { banWarnings } from "./bans.ts";
import { type ChainRule, inputChain } from "./input-chain.ts";
import { RouterView } from "./router-view.ts";
import { shadowWarnings } from "./shadows.ts";

export interface Change {
  /** `/ip/service` and both families' `filter` and `address-list`, dynamic rows included. */
  readonly before: Observed;
  /** The same menus as they will be. */
  readonly after: Observed;
  readonly sources: readonly Source[];
  /** The router's names of the eight services. */
  readonly services: Readonly<Record<ServiceName, string>>;
  /** Is this filter rule Portreeve's? */
  readonly ours: (row: Row) => boolean;
}

export interface Assessment {
  /** Each family's chain after the change; undefined where the router has no such menu. */
  readonly inputChain: Readonly<Record<Family, readonly ChainRule[] | undefined>>;
  readonly access: readonly AccessRow[];
  readonly warnings: readonly string[];
}

export function assess({ before, after, sources, services, ours }: Change): Assessment {
  const view = new RouterView(after);
  return {
    inputChain: { ipv4: inputChain(after, "ipv4", ours), ipv6: inputChain(after, "ipv6", ours) },
    access: accessTable(new RouterView(before), view, sources, services),
    warnings: (["ipv4", "ipv6"] as const).flatMap((family) =>
      warningsOf(view, family, { sources, services, ours }),
    ),
  };
}

function warningsOf(
  view: RouterView,
  family: Family,
  { sources, services, ours }: Pick<Change, "sources" | "services" | "ours">,
): string[] {
  const names = Object.values(services);
  // A stranger who bans himself is what such rules are for.
  const known = sources.filter(({ kind, network }) => kind !== "internet" && familyOf(network) === family);
  const operators = unite(...known.map(({ network }) => addressesOf(network)));
  return [...shadowWarnings(view, names, family, ours), ...banWarnings(view, names, family, operators)];
}

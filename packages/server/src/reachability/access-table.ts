/** Who still has access: sources down, services across, before and after a change. Pure. */
import { type AccessCell, type AccessRow, SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import { type AddressSet, familyOf, formatAddresses, NOBODY, parseAddresses } from "./address-set.ts";
import type { RouterView } from "./router-view.ts";

export type Source = AccessRow["source"];

/** Networks shown for one cell, at most. */
const MAX_NETWORKS = 8;

/** Rows for networks that are named, at most: there may be hundreds. */
const MAX_NAMED_ROWS = 100;

const INTERNET = ["0.0.0.0/0", "::/0"];

export interface Sources {
  readonly management: string;
  /** undefined: not known. */
  readonly caller: string | undefined;
  /** Networks the policy names, in any order, some perhaps twice. */
  readonly networks: readonly string[];
}

/**
 * The rows to show, each network once; and how many more networks there would be.
 * @param admitted networks the router's services admit now: nobody others let in is shut out without being shown
 */
export function rowsFor(
  { management, caller, networks }: Sources,
  admitted: readonly string[],
): { rows: Source[]; hidden: number } {
  const single = [management, caller ?? management].flatMap((address) => [`${address}/32`, `${address}/128`]);
  const shown = [...INTERNET, ...single];
  const named = new Map<string, Source>();
  for (const network of admitted) named.set(network, { kind: "router", network });
  for (const network of networks) named.set(network, { kind: "policy", network });
  for (const network of shown) named.delete(network);
  const policyFirst = [...named.values()].sort((a, b) => a.kind.localeCompare(b.kind));
  const rows: Source[] = [
    { kind: "management", network: management },
    ...(caller === undefined ? [] : [{ kind: "caller" as const, network: caller }]),
    ...policyFirst.slice(0, MAX_NAMED_ROWS),
    ...INTERNET.map((network) => ({ kind: "internet" as const, network })),
  ];
  return { rows, hidden: Math.max(0, policyFirst.length - MAX_NAMED_ROWS) };
}

/** @param routerOsName the router's names of the eight services */
export function accessTable(
  before: RouterView,
  after: RouterView,
  sources: readonly Source[],
  routerOsName: Readonly<Record<ServiceName, string>>,
): AccessRow[] {
  return sources.map((source) => {
    const cells = SERVICE_NAMES.map((name) => [
      name,
      {
        before: cellOf(before, routerOsName[name], source),
        after: cellOf(after, routerOsName[name], source),
      },
    ]);
    return { source, services: Object.fromEntries(cells) as AccessRow["services"] };
  });
}

function cellOf(view: RouterView, service: string, { network }: Source): AccessCell {
  const family = familyOf(network);
  const { access, because, admitted } = view.ask(service, family, addressesOf(network));
  const isPart = access === "partly" || access === "depends";
  return {
    access,
    because: [...because],
    networks: isPart ? formatAddresses(admitted, family, MAX_NETWORKS) : [],
  };
}

export function addressesOf(network: string): AddressSet {
  return parseAddresses(network, familyOf(network)) ?? NOBODY;
}

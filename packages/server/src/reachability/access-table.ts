/** Who can still get in: sources down, services across, before and after a change. Pure. */
import { SERVICE_NAMES, type ServiceName } from "@portreeve/api-schema";
import { type AddressSet, familyOf, formatAddresses, NOBODY, parseAddresses } from "./address-set.ts";
import type { Answer, RouterView } from "./router-view.ts";

/** Whom a row is about: us, whoever asks, a network the policy names, or everybody. */
export type SourceKind = "management" | "caller" | "policy" | "internet";

export interface Source {
  readonly kind: SourceKind;
  /** An address or a network. */
  readonly network: string;
}

export interface Cell {
  readonly access: Answer["access"];
  readonly because: readonly string[];
  /** Of a network that is let in partly, or depending on something: the part that is for certain. */
  readonly networks: readonly string[];
}

export interface AccessRow {
  readonly source: Source;
  readonly services: Readonly<Record<ServiceName, { readonly before: Cell; readonly after: Cell }>>;
}

/** Networks shown for one cell, at most. */
const MAX_NETWORKS = 8;

const INTERNET = ["0.0.0.0/0", "::/0"];

/** The rows to show, each network once. */
export function sourcesOf(asked: {
  readonly management: string;
  /** undefined: not known, as behind a proxy that does not say. */
  readonly caller: string | undefined;
  readonly networks: readonly string[];
}): Source[] {
  const { management, caller, networks } = asked;
  const named = new Set(networks.filter((network) => !INTERNET.includes(network)));
  return [
    { kind: "management", network: management },
    ...(caller === undefined ? [] : [{ kind: "caller" as const, network: caller }]),
    ...[...named].map((network) => ({ kind: "policy" as const, network })),
    ...INTERNET.map((network) => ({ kind: "internet" as const, network })),
  ];
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

function cellOf(view: RouterView, service: string, { network }: Source): Cell {
  const family = familyOf(network);
  const { access, because, admitted } = view.ask(service, family, addressesOf(network));
  const isPart = access === "partly" || access === "depends";
  return { access, because, networks: isPart ? formatAddresses(admitted, family, MAX_NETWORKS) : [] };
}

export function addressesOf(network: string): AddressSet {
  return parseAddresses(network, familyOf(network)) ?? NOBODY;
}

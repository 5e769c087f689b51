/**
 * Operators who lock themselves out by coming in: rules against password guessing count connections, those of
 * operators too, and put sources that open a few onto an address list that another rule refuses. Pure.
 */
import { type AddressSet, type Family, intersect, isEmpty, NOBODY, subtract, unite } from "./address-set.ts";
import type { Rule } from "./filter-table.ts";
import { familyName, nameOf, nameOfList, networksOf } from "./format.ts";
import type { RouterView } from "./router-view.ts";
import { verdictOf } from "./verdict.ts";
import type { Listing, Walked } from "./walk.ts";

/** A source climbs from list to list with each connection; guides have three or four stages. */
const MAX_CONNECTIONS = 10;

interface Ban {
  readonly service: string;
  readonly listing: Listing;
  readonly refuser: Rule;
  /** Who got in, and no longer does. */
  readonly sources: AddressSet;
}

/**
 * @param services RouterOS's names of the services asked about
 * @param sources of this family: those whose access matters
 */
export function banWarnings(
  view: RouterView,
  services: readonly string[],
  family: Family,
  sources: AddressSet,
): string[] {
  const bans = services.flatMap((service) => banOf(view, service, family, sources) ?? []);
  const byRules = Map.groupBy(bans, ({ listing, refuser }) => `${listing.rule.number} ${refuser.number}`);
  return [...byRules.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { listing, refuser } = first;
    const banned = networksOf(unite(...group.map((ban) => ban.sources)), family);
    return (
      `${familyName(family)} ${nameOf(listing.rule)} puts ${banned} on the list ${nameOfList(listing.list)} for ` +
      `connecting to ${group.map(({ service }) => service).join(", ")}, and then ${nameOf(refuser)} refuses it: ` +
      "a few connections in a row end the access"
    );
  });
}

function banOf(view: RouterView, service: string, family: Family, sources: AddressSet): Ban | undefined {
  const within = intersect(sources, view.gate(service, family).admits);
  if (isEmpty(within)) return undefined;
  const first = view.walk(service, family, { sources: within });
  const last = afterConnections(first, (listed) => view.walk(service, family, { sources: within, listed }));
  const lost = subtract(
    verdictOf(first.outcomes, within).accepted,
    verdictOf(last.outcomes, within).accepted,
  );
  const refusal = last.outcomes.find(
    (outcome) => outcome.verdict === "refuse" && !isEmpty(intersect(outcome.sources, lost)),
  );
  if (!refusal?.rule) return undefined;
  const asked = refusal.rule.row["src-address-list"];
  const listings = last.listings.filter((listing) => !isEmpty(intersect(listing.sources, lost)));
  const listing = listings.find(({ list }) => list === asked) ?? listings[0];
  return listing && { service, listing, refuser: refusal.rule, sources: lost };
}

/** The walk of a connection that comes after earlier ones have put their sources on every list they can. */
function afterConnections(
  first: Walked,
  walkListed: (listed: ReadonlyMap<string, AddressSet>) => Walked,
): Walked {
  let walked = first;
  let listed = new Map<string, AddressSet>();
  for (let n = 0; n < MAX_CONNECTIONS; n += 1) {
    const more = new Map(listed);
    for (const { list, sources } of walked.listings) more.set(list, unite(more.get(list) ?? NOBODY, sources));
    const isMore = ([list, sources]: [string, AddressSet]) =>
      !isEmpty(subtract(sources, listed.get(list) ?? NOBODY));
    if (![...more].some(isMore)) break;
    listed = more;
    walked = walkListed(listed);
  }
  return walked;
}

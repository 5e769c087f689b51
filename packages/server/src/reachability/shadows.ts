/** Rules that are not ours and decide what ours were to decide. They are reported and never touched. Pure. */
import type { Row } from "@portreeve/routeros";
import {
  type AddressSet,
  everybody,
  type Family,
  intersect,
  isEmpty,
  NOBODY,
  subtract,
  unite,
} from "./address-set.ts";
import type { Rule } from "./filter-table.ts";
import { familyName, nameOf, networksOf } from "./format.ts";
import type { RouterView } from "./router-view.ts";

interface Shadow {
  readonly rule: Rule;
  readonly service: string;
  /** It depends on something that can't be known from here. */
  readonly maybe: boolean;
  /** Whom it refuses although the service admits them. */
  readonly refused: AddressSet;
  /** Whom it accepts, ahead of our rules, although the service does not admit them. */
  readonly accepted: AddressSet;
}

/** @param services RouterOS's names of the services asked about */
export function shadowWarnings(
  view: RouterView,
  services: readonly string[],
  family: Family,
  ours: (row: Row) => boolean,
): string[] {
  const shadows = services.flatMap((service) => shadowsOf(view, service, family, ours));
  return [...Map.groupBy(shadows, ({ rule }) => rule).values()].flatMap((group) => [
    ...sentence(group, family, "refused"),
    ...sentence(group, family, "accepted"),
  ]);
}

function shadowsOf(view: RouterView, service: string, family: Family, ours: (row: Row) => boolean): Shadow[] {
  const { admits } = view.gate(service, family);
  if (isEmpty(admits)) return []; // nobody is to get in, and nobody does
  const closed = subtract(everybody(family), admits);
  return view.outcomes(service, family).flatMap(({ rule, verdict, sources, conditions }): Shadow[] => {
    if (!rule || ours(rule.row)) return [];
    const refused = verdict === "refuse" ? intersect(sources, admits) : NOBODY;
    const open = verdict === "accept" ? intersect(sources, closed) : NOBODY;
    const accepted = isEmpty(open) ? NOBODY : intersect(open, refusedByUs(rule));
    return [{ rule, service, maybe: conditions.length > 0, refused, accepted }];
  });

  /** Whom our rules would refuse if it were not for this one. */
  function refusedByUs(without: Rule): AddressSet {
    const { outcomes } = view.walk(service, family, { without });
    const refusals = outcomes.filter(({ rule, verdict }) => rule && ours(rule.row) && verdict === "refuse");
    return unite(...refusals.map(({ sources }) => sources));
  }
}

function sentence(group: readonly Shadow[], family: Family, what: "refused" | "accepted"): string[] {
  const found = group.filter((shadow) => !isEmpty(shadow[what]));
  const [first] = found;
  if (!first) return [];
  const services = [...new Set(found.map(({ service }) => service))].join(", ");
  const sources = networksOf(unite(...found.map((shadow) => shadow[what])), family);
  const may = found.some(({ maybe }) => maybe);
  const rule = `${familyName(family)} ${nameOf(first.rule)}`;
  return what === "refused"
    ? [`${rule} ${may ? "may refuse" : "refuses"} ${services} to ${sources}, which the policy admits`]
    : [
        `${rule} ${may ? "may accept" : "accepts"} ${services} from ${sources} ahead of Portreeve's rules; ` +
          "only the service's own address list turns it away",
      ];
}

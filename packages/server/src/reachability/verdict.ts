import { type AddressSet, intersect, NOBODY, subtract, unite } from "./address-set.ts";
import type { Outcome, RuleVerdict } from "./walk.ts";

/** How a set of sources fares: who is let in, who is not, and for whom that depends. Each source is in one of them. */
export interface Verdict {
  readonly accepted: AddressSet;
  readonly refused: AddressSet;
  readonly depends: AddressSet;
}

export function verdictOf(outcomes: readonly Outcome[], sources: AddressSet): Verdict {
  const may = (verdict: RuleVerdict) =>
    unite(...outcomes.filter((o) => o.verdict === verdict).map((o) => intersect(o.sources, sources)));
  const accept = may("accept");
  const refuse = may("refuse");
  // Without conditions every source has one outcome.
  if (outcomes.every(({ conditions }) => conditions.length === 0))
    return { accepted: accept, refused: refuse, depends: NOBODY };
  return {
    accepted: subtract(accept, refuse),
    refused: subtract(refuse, accept),
    depends: intersect(accept, refuse),
  };
}

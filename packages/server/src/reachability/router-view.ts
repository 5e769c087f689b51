/** One state of a router, asked who gets in: the packet filter first, then the service's own list. Pure. */
import type { Observed } from "../reconcile/types.ts";
import { type AddressSet, type Family, intersect, isEmpty, NOBODY, subtract } from "./address-set.ts";
import { Budget } from "./budget.ts";
import { type FilterTable, filterTable } from "./filter-table.ts";
import { deciderOf } from "./format.ts";
import { type ServiceGate, serviceGate } from "./service-gate.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import { type Outcome, type Walked, type WalkOptions, walk } from "./walk.ts";

/** For everything asked of one state: eight services over a list of 50 000 entries, a quarter of a second or so. */
const BUDGET_UNITS = 500_000;

/** The rules and settings named for one answer, at most. */
const MAX_REASONS = 3;

export type Access = "yes" | "no" | "partly" | "depends";

export interface Answer {
  readonly access: Access;
  /** Who is let in for certain. */
  readonly admitted: AddressSet;
  /** The rules and settings that decide, for reading. */
  readonly because: readonly string[];
}

export class RouterView {
  readonly #observed: Observed;
  readonly #budget = new Budget(BUDGET_UNITS);
  readonly #tables = new Map<Family, FilterTable>();
  readonly #walks = new Map<string, Walked>();

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  table(family: Family): FilterTable {
    return remembered(this.#tables, family, () => filterTable(this.#observed, family));
  }

  /** @param service RouterOS's name */
  gate(service: string, family: Family): ServiceGate {
    return serviceGate(this.#observed, service, family);
  }

  /** What the packet filter does with connections to a service from everywhere. */
  outcomes(service: string, family: Family): readonly Outcome[] {
    return remembered(this.#walks, `${family} ${service}`, () => this.walk(service, family)).outcomes;
  }

  /** The same for some sources, or with some already on lists. */
  walk(service: string, family: Family, options: Omit<WalkOptions, "budget"> = {}): Walked {
    const { port } = this.gate(service, family);
    return walk(this.table(family), { family, port }, { budget: this.#budget, ...options });
  }

  /** Do these sources get in? */
  ask(service: string, family: Family, sources: AddressSet): Answer {
    if (family === "ipv6" && !this.table(family).present)
      return { access: "no", admitted: NOBODY, because: ["this router has no IPv6"] };
    const gate = this.gate(service, family);
    const atService = intersect(sources, gate.admits);
    const outcomes = this.outcomes(service, family);
    const verdict = verdictOf(outcomes, atService);
    const access = accessOf(sources, verdict);
    const isListed = isEmpty(subtract(sources, gate.admits));
    const partly = `service ${service} lists a part of it`;
    const turnedAway = isListed ? [] : [isEmpty(atService) ? (gate.setting ?? "") : partly];
    const deciders = decidersOf(outcomes, atService, access);
    const listed = access === "yes" && gate.setting ? [`service ${service} lists it`] : [];
    return {
      access,
      admitted: verdict.accepted,
      because: [...new Set([...turnedAway, ...deciders, ...listed])].slice(0, MAX_REASONS),
    };
  }
}

function accessOf(sources: AddressSet, { accepted, depends }: Verdict): Access {
  if (!isEmpty(depends)) return "depends";
  if (isEmpty(accepted)) return "no";
  return isEmpty(subtract(sources, accepted)) ? "yes" : "partly";
}

/** A yes or a no is explained by what says so, anything else by everything that has a say. */
function decidersOf(outcomes: readonly Outcome[], sources: AddressSet, access: Access): string[] {
  const verdict = access === "yes" ? "accept" : access === "no" ? "refuse" : undefined;
  return outcomes
    .filter((outcome) => verdict === undefined || outcome.verdict === verdict)
    .filter((outcome) => !isEmpty(intersect(outcome.sources, sources)))
    .map(deciderOf);
}

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = memory.get(key) ?? make();
  memory.set(key, known);
  return known;
}

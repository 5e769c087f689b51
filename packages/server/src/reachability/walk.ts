/**
 * What the input chain does with new connections to one port, from every source at once. Pure.
 *
 * The walk goes down the rules with a set of sources and takes out of it, at each rule that ends a packet's way,
 * those the rule matches. Where a rule depends on something unknown its sources go both ways: they are written down
 * with the condition, and walk on. So for one source the outcomes that name it, in their order, read like a list of
 * cases: the first whose conditions hold is what happens.
 */
import { type AddressSet, everybody, isEmpty, NOBODY, subtract, unite } from "./address-set.ts";
import { type Budget, TooLargeError } from "./budget.ts";
import type { FilterTable, Rule } from "./filter-table.ts";
import { type Match, matchRule, type Packet, type Sources, type Unknown } from "./matchers.ts";

export type RuleVerdict = "accept" | "refuse";

/** All of the unknowns answer as the rule needs it, or (`holds: false`) not all of them. */
export interface Condition {
  readonly unknowns: readonly Unknown[];
  readonly holds: boolean;
}

export interface Outcome {
  readonly sources: AddressSet;
  readonly verdict: RuleVerdict;
  /** The rule that ends the packet's way; undefined when none does, and RouterOS accepts. */
  readonly rule: Rule | undefined;
  /** Empty: it applies to sources that no earlier outcome has decided. */
  readonly conditions: readonly Condition[];
}

/** A rule that puts sources on an address list; their packets continue to the next rule. */
export interface Listing {
  readonly rule: Rule;
  readonly list: string;
  readonly sources: AddressSet;
}

export interface Walked {
  readonly outcomes: readonly Outcome[];
  readonly listings: readonly Listing[];
}

const VERDICTS: ReadonlyMap<string, RuleVerdict> = new Map([
  ["accept", "accept"],
  ["drop", "refuse"],
  ["reject", "refuse"],
  ["tarpit", "refuse"],
]);

/** A set that loses a few ranges is copied, which costs less for each. */
const RANGES_COPIED_PER_UNIT = 64;

/** Chains that jump into chains, as deep as anybody would write them. */
const MAX_DEPTH = 32;

/** When a router's rules are more than can be followed, nothing is certain. */
export const TOO_LARGE: Unknown = {
  key: "too large",
  holds: true,
  text: "more rules and address list entries than can be followed",
};

export interface WalkOptions {
  readonly budget: Budget;
  /** Whose connections; everybody's unless given. */
  readonly sources?: AddressSet;
  /** Who may be on lists beside those that are: sources an earlier connection has put there. */
  readonly listed?: ReadonlyMap<string, AddressSet>;
  /** As if this rule were not there. */
  readonly without?: Rule;
}

export function walk(table: FilterTable, packet: Packet, options: WalkOptions): Walked {
  const { sources = everybody(packet.family) } = options;
  try {
    return new Walk(table, packet, options).run(sources);
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    const outcome = { sources, rule: undefined };
    const conditions = [{ unknowns: [TOO_LARGE], holds: true }];
    const outcomes: Outcome[] = [
      { ...outcome, verdict: "refuse", conditions },
      { ...outcome, verdict: "accept", conditions: [] },
    ];
    return { outcomes, listings: [] };
  }
}

class Walk {
  readonly #table: FilterTable;
  readonly #packet: Packet;
  readonly #budget: Budget;
  readonly #without: Rule | undefined;
  readonly #outcomes: Outcome[] = [];
  readonly #listings: Listing[] = [];
  /** What rules of this very walk put on lists: a rule further down already sees it. */
  readonly #added = new Map<string, Sources>();

  constructor(table: FilterTable, packet: Packet, { budget, listed, without }: WalkOptions) {
    this.#table = table;
    this.#packet = packet;
    this.#budget = budget;
    this.#without = without;
    for (const [list, possible] of listed ?? []) this.#added.set(list, { certain: NOBODY, possible });
  }

  run(sources: AddressSet): Walked {
    const left = this.#chain("input", sources, [], []);
    this.#end(left, "accept", undefined, []);
    return { outcomes: this.#outcomes, listings: this.#listings };
  }

  /** @returns those who come out of the chain undecided */
  #chain(
    name: string,
    sources: AddressSet,
    conditions: readonly Condition[],
    path: readonly string[],
  ): AddressSet {
    // RouterOS refuses chains that jump in a circle. Going round once more would decide about nobody anew.
    if (path.includes(name)) return sources;
    if (path.length >= MAX_DEPTH) throw new TooLargeError();
    return this.#rules(this.#table.chains.get(name) ?? [], 0, sources, conditions, [...path, name]);
  }

  #rules(
    rules: readonly Rule[],
    from: number,
    sources: AddressSet,
    conditions: readonly Condition[],
    path: readonly string[],
  ): AddressSet {
    let here = sources;
    let returned = NOBODY;
    for (let index = from; index < rules.length && !isEmpty(here); index += 1) {
      const rule = rules[index] as Rule;
      if (rule === this.#without) continue;
      this.#budget.spend(1 + here.length / RANGES_COPIED_PER_UNIT);
      const onList = (list: string) => this.#onList(list);
      const match = matchRule(rule.row, this.#packet, here, onList, (ranges) => this.#budget.spend(ranges));
      if (!match) continue;
      const { certain, uncertain } = match;
      this.#budget.spend((certain === here ? 0 : certain.length) + uncertain.length);
      const when = [...conditions, { unknowns: match.unknowns, holds: true }];
      const { action = "accept" } = rule.row;
      const verdict = VERDICTS.get(action);
      if (verdict) {
        this.#end(certain, verdict, rule, conditions);
        this.#end(uncertain, verdict, rule, when);
        here = subtract(here, certain);
      } else if (action === "jump") {
        const target = rule.row["jump-target"] ?? "";
        const back = isEmpty(certain) ? NOBODY : this.#chain(target, certain, conditions, path);
        if (!isEmpty(uncertain)) this.#chain(target, uncertain, when, path);
        here = unite(subtract(here, certain), back);
      } else if (action === "return") {
        const unless = [...conditions, { unknowns: match.unknowns, holds: false }];
        if (!isEmpty(uncertain)) this.#rules(rules, index + 1, uncertain, unless, path);
        returned = unite(returned, certain, uncertain);
        here = subtract(subtract(here, certain), uncertain);
      } else if (action === "add-src-to-address-list") this.#list(rule, match, conditions);
    }
    return unite(here, returned);
  }

  #end(
    sources: AddressSet,
    verdict: RuleVerdict,
    rule: Rule | undefined,
    conditions: readonly Condition[],
  ): void {
    if (!isEmpty(sources)) this.#outcomes.push({ sources, verdict, rule, conditions });
  }

  #list(rule: Rule, { certain, uncertain }: Match, conditions: readonly Condition[]): void {
    const list = rule.row["address-list"] ?? "";
    const before = this.#added.get(list) ?? { certain: NOBODY, possible: NOBODY };
    const sources = unite(certain, uncertain);
    this.#added.set(list, {
      certain: conditions.length === 0 ? unite(before.certain, certain) : before.certain,
      possible: unite(before.possible, sources),
    });
    this.#listings.push({ rule, list, sources });
  }

  #onList(list: string): Sources {
    const now = this.#table.onList(list);
    const added = this.#added.get(list);
    if (!added) return now;
    this.#budget.spend(now.certain.length + added.possible.length);
    return {
      certain: unite(now.certain, added.certain),
      possible: unite(now.possible, added.possible),
    };
  }
}

/**
 * What becomes of a new connection from outside at the router's `input` chain: read off its rules, without sending a
 * packet. Pure.
 *
 * "Outside" is any address that is not private and on no address list of the router, coming in by an interface that
 * nobody told us the name of. Of interface lists only the two of MikroTik's default configuration say which side they
 * are: `WAN` is outside, `LAN` is not. A rule that hangs on anything else (another interface, a limit, a time) may or
 * may not match, and then the answer is not known, unless the end is the same either way.
 * Sources: MikroTik manual, "Filter" and "Default configurations".
 */
import type { Row } from "@portreeve/routeros";
import ipaddr from "ipaddr.js";

export interface Probe {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

export interface Fate {
  readonly verdict: "accepted" | "dropped" | "unknown";
  /** Rules that decide, or would if they matched. */
  readonly rules: readonly Row[];
}

type Match = "yes" | "no" | "maybe";
type End = "accepted" | "dropped";
/** Ways a chain may end for the probe; `left` is without a decision. */
type Outcomes = ReadonlySet<End | "left">;

/** RouterOS refuses chains that jump in a circle; a router that says otherwise is not followed for ever. */
const MAX_JUMPS = 32;
/** Rules looked at for one probe: chains that jump to each other many times over end here. */
const MAX_RULES = 20_000;

const ENDS: Readonly<Record<string, End>> = {
  accept: "accepted",
  drop: "dropped",
  reject: "dropped",
  tarpit: "dropped",
};

/** A packet that no rule stops is accepted. */
export function fateOf(rules: readonly Row[], probe: Probe): Fate {
  const walk = new Walk(
    rules.filter((rule) => !isTrue(rule.disabled)),
    probe,
  );
  const ends = new Set([...walk.through("input", 0)].map((end) => (end === "left" ? "accepted" : end)));
  const [only, ...others] = ends;
  return { verdict: only && others.length === 0 ? only : "unknown", rules: [...walk.deciding] };
}

class Walk {
  readonly deciding = new Set<Row>();
  readonly #chains: ReadonlyMap<string, readonly Row[]>;
  readonly #probe: Probe;
  #left = MAX_RULES;

  constructor(rules: readonly Row[], probe: Probe) {
    this.#chains = Map.groupBy(rules, ({ chain }) => chain ?? "");
    this.#probe = probe;
  }

  through(chain: string, jumps: number): Outcomes {
    const outcomes = new Set<End | "left">();
    for (const rule of this.#chains.get(chain) ?? []) {
      if (--this.#left < 0) return new Set(["accepted", "dropped"]); // too long to tell
      const match = matchOf(rule, this.#probe);
      if (match === "no") continue;
      const { ends, goesOn } = this.#effectOf(rule, jumps);
      for (const end of ends) outcomes.add(end);
      if (match === "yes" && !goesOn) return outcomes;
    }
    return outcomes.add("left");
  }

  /** How a rule that matches may end the chain it is in, and whether the next rule may be tried after it. */
  #effectOf(rule: Row, jumps: number): { ends: Iterable<End | "left">; goesOn: boolean } {
    const action = rule.action ?? "accept";
    if (action === "return") return { ends: ["left"], goesOn: false };
    if (action === "jump" && jumps < MAX_JUMPS) {
      const outcomes = new Set(this.through(rule["jump-target"] ?? "", jumps + 1));
      const goesOn = outcomes.delete("left");
      return { ends: outcomes, goesOn };
    }
    const end = ENDS[action];
    if (end === undefined) return { ends: [], goesOn: true };
    this.deciding.add(rule);
    return { ends: [end], goesOn: false };
  }
}

type Test = (value: string, probe: Probe) => Match;

/** Matchers that can be judged; the value comes without its `!`. */
const TESTS: Readonly<Record<string, Test>> = {
  protocol: (value, { protocol }) => sure(value === protocol || value === (protocol === "tcp" ? "6" : "17")),
  "dst-port": (value, { port }) => sure(holdsPort(value, port)),
  port: (value, { port }) => (holdsPort(value, port) ? "yes" : "maybe"), // the source port may be in it
  "connection-state": (value) => sure(value.split(",").includes("new")),
  "connection-nat-state": () => "maybe",
  "src-address": outsideAddress,
  "src-address-list": () => "no",
  "src-address-type": (value) => sure(value.split(",").includes("unicast")),
  "dst-address": (value) => (isEverything(value) ? "yes" : isLoopback(value) ? "no" : "maybe"),
  "dst-address-type": (value) => sure(value.split(",").includes("local")),
  "in-interface-list": (value) =>
    value === "WAN" || value === "all" ? "yes" : value === "LAN" || value === "none" ? "no" : "maybe",
};

/** Properties of a rule that match nothing. */
const NO_MATCHERS = new Set(
  (
    ".id .nextid chain action jump-target comment disabled dynamic invalid log log-prefix bytes packets reject-with " +
    "address-list address-list-timeout"
  ).split(" "),
);

function matchOf(rule: Row, probe: Probe): Match {
  let result: Match = "yes";
  for (const [name, text] of Object.entries(rule)) {
    if (NO_MATCHERS.has(name) || text === undefined || text === "") continue;
    const test = TESTS[name];
    const negated = text.startsWith("!");
    const found = test ? test(negated ? text.slice(1) : text, probe) : "maybe";
    const match = negated ? opposite(found) : found;
    if (match === "no") return "no";
    if (match === "maybe") result = "maybe";
  }
  return result;
}

function opposite(match: Match): Match {
  if (match === "maybe") return "maybe";
  return match === "yes" ? "no" : "yes";
}

function sure(matches: boolean): Match {
  return matches ? "yes" : "no";
}

function holdsPort(list: string, port: number): boolean {
  return list.split(",").some((entry) => {
    const [low = Number.NaN, high = low] = entry.split("-").map(Number);
    return low <= port && port <= high;
  });
}

/** Whether a source outside may be among these addresses: everything holds it, private networks don't. */
function outsideAddress(value: string): Match {
  if (isEverything(value)) return "yes";
  return isPrivate(value) ? "no" : "maybe";
}

export function isEverything(network: string): boolean {
  return network === "" || network.endsWith("/0");
}

const PRIVATE = new Set([
  "private",
  "loopback",
  "linkLocal",
  "uniqueLocal",
  "carrierGradeNat",
  "unspecified",
]);

/** Is the network, or the range from its first address on, one that nobody on the internet comes from? */
function isPrivate(value: string): boolean {
  const [first = ""] = value.split(/[-/]/);
  return ipaddr.isValid(first) && PRIVATE.has(ipaddr.process(first).range());
}

function isLoopback(value: string): boolean {
  const [first = ""] = value.split(/[-/]/);
  return ipaddr.isValid(first) && ipaddr.process(first).range() === "loopback";
}

function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "yes";
}

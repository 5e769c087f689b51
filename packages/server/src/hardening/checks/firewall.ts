/** What the input chain does, and what it was meant to do. */
import type { Row } from "@portreeve/routeros";
import { fromOutside } from "../from-outside.ts";
import { named } from "../text.ts";
import type { Check, Evaluation, RouterView } from "../types.ts";
import { enabledServices, evidenceOf, isTrue, VERDICT_STATUS, VERDICT_WORDS, worstOf } from "./rows.ts";
import { BRUTE_FORCE, FILTER } from "./sources.ts";

const FILTER_MENU = "/ip/firewall/filter";
const FILTER_MENU_6 = "/ipv6/firewall/filter";
/** Asked about where no service is on. */
const SSH = 22;

export const firewallChecks: readonly Check[] = [
  {
    id: "ipv6-unfiltered",
    title: "The management services are filtered over IPv6, or IPv6 is off",
    severity: "high",
    why: "IPv4's rules do not apply to IPv6. A router that gets an IPv6 address offers its services to the whole IPv6 internet, unless it has rules for IPv6.",
    source: FILTER,
    reads: [FILTER_MENU_6, "/ip/service"],
    mayRead: ["/ipv6/settings", "/ipv6/firewall/address-list"],
    evaluate: evaluateIpv6,
    fix: "Portreeve does not know what IPv6 is used for here. Add rules to the input chain of /ipv6/firewall/filter, or turn it off: /ipv6/settings/set disable-ipv6=yes",
  },
  {
    id: "brute-force-order",
    title: "Rules against guessing don't ban the operator",
    severity: "high",
    why: "add-src-to-address-list does not stop a packet. If a stage stands before the next one, a single connection passes all stages, and the first person to log in is banned, even the operator.",
    source: BRUTE_FORCE,
    reads: [FILTER_MENU],
    mayRead: [FILTER_MENU_6],
    evaluate: evaluateStages,
    fix: "Portreeve does not own these rules. Reverse their order, last stage first, and accept your own addresses before them; or remove them and set brute_force_protection in the site's policy.",
  },
];

function evaluateIpv6({ rows, observed }: RouterView): Evaluation {
  const [settings] = rows("/ipv6/settings");
  if (isTrue(settings?.["disable-ipv6"])) {
    const values = { "disable-ipv6": settings?.["disable-ipv6"] ?? "" };
    return { status: "ok", detail: "IPv6 is off.", evidence: [{ menu: "/ipv6/settings", values }] };
  }
  const ports = enabledServices(rows("/ip/service")).map(({ port }) => Number(port));
  const verdicts = (ports.length > 0 ? ports : [SSH]).map((port) => fromOutside(observed, "ipv6", { port }));
  const verdict = worstOf(verdicts.map((each) => each.verdict));
  const deciding = new Set(verdicts.filter((each) => each.verdict === verdict).flatMap(({ rules }) => rules));
  return {
    status: VERDICT_STATUS[verdict],
    detail: `The IPv6 input chain ${VERDICT_WORDS[verdict]} new connections from outside to the services.`,
    evidence: [...deciding].map((rule) => evidenceOf(FILTER_MENU_6, rule)),
  };
}

function evaluateStages({ rows }: RouterView): Evaluation {
  const menus = [FILTER_MENU, FILTER_MENU_6].map((menu) => ({ menu, rules: rows(menu) }));
  const staged = menus.flatMap(({ rules }) => rules.filter(isStage));
  if (staged.length === 0)
    return { status: "not_applicable", detail: "No rule counts connections by address list." };
  const climbs = menus.flatMap(({ menu, rules }) => climbsOf(rules).map((climb) => ({ menu, climb })));
  if (climbs.length === 0) return { status: "ok", detail: "The stages stand in reverse, last one first." };
  const lists = named([...new Set(climbs.map(({ climb }) => climb.at(-1)?.["src-address-list"] ?? ""))]);
  return {
    status: "open",
    detail: `One connection is enough to be put on ${lists}, and sources on it are refused.`,
    evidence: climbs.flatMap(({ menu, climb }) => climb.map((rule) => evidenceOf(menu, rule))),
  };
}

const REFUSES = new Set(["drop", "reject", "tarpit"]);

function isStage(rule: Row): boolean {
  return rule.action === "add-src-to-address-list" && !isTrue(rule.disabled);
}

/**
 * Stages that one packet climbs: a rule puts its source on a list, a later one of the same chain moves who is on that
 * list to the next, and who is on the last one is refused. The rules of each climb, the refusal last.
 */
function climbsOf(rules: readonly Row[]): Row[][] {
  const refusals = rules.filter((rule) => REFUSES.has(rule.action ?? "") && !isTrue(rule.disabled));
  const stages = rules.filter(isStage);
  return stages.flatMap((first, index) => {
    if (first["src-address-list"]) return []; // not the first connection of a source
    const climb = [first];
    for (const next of stages.slice(index + 1)) {
      const last = climb.at(-1) as Row;
      const follows = next["src-address-list"] === last["address-list"] && next.chain === last.chain;
      if (follows && mayShareAPacket(last, next)) climb.push(next);
    }
    const refusal = refusals.find((rule) => rule["src-address-list"] === climb.at(-1)?.["address-list"]);
    return climb.length > 1 && refusal ? [[...climb, refusal]] : [];
  });
}

/** Rules of different protocols or ports see different packets. */
function mayShareAPacket(a: Row, b: Row): boolean {
  return ["protocol", "dst-port"].every((name) => !a[name] || !b[name] || sharesAnElement(a[name], b[name]));
}

function sharesAnElement(a: string, b: string): boolean {
  if ([a, b].some((text) => text.startsWith("!") || text.includes("-"))) return true;
  const others = b.split(",");
  return a.split(",").some((element) => others.includes(element));
}

/** One look at one site from outside: bounded in time, connections and bytes. */
import pLimit from "p-limit";
import type { StoredPort } from "../database/index.ts";
import { printable } from "../kernel/untrusted.ts";
import { evaluatePolicy, type SitePolicy } from "../policies/index.ts";
import type { AddressRules } from "../sites/index.ts";
import { lookAt } from "./port.ts";
import { firstLine, PROTOCOLS } from "./protocols.ts";
import { type Source, sourceFor } from "./source.ts";
import { type Target, targetsOf } from "./targets.ts";

/** Ports of a site looked at at once. */
const CONNECTIONS = 8;
/** The whole check, milliseconds: sixteen ports that answer nothing take twice 5.5 seconds, eight at once. */
const CHECK_MS = 14_000;
const MAX_ANSWER_LENGTH = 120;

export interface CheckedSite {
  readonly address: string;
  /** The address the router sees Portreeve come from. */
  readonly managementAddress: string;
  readonly policy: SitePolicy;
}

export interface Checker {
  readonly addresses: AddressRules;
  /** The management address, where this host has it. */
  readonly ownAddress: string | undefined;
}

export interface Report {
  readonly address: string;
  readonly fromAddress: string;
  /** Some port said something: that it is open, or that it is not. */
  readonly answered: boolean;
  readonly ports: readonly StoredPort[];
}

/**
 * Look at every port of a site, one connection each.
 * @throws AddressRefusedError, the resolver's error, or what keeps this host from connecting at all
 * @throws the signal's reason when aborted
 */
export async function check(
  { addresses, ownAddress }: Checker,
  site: CheckedSite,
  signal: AbortSignal,
): Promise<Report> {
  const deadline = AbortSignal.timeout(CHECK_MS);
  const address = await Promise.race([addresses.resolve(site.address), rejectAt(deadline)]);
  const source = await sourceFor(address, { ownAddress, managementAddress: site.managementAddress });
  const look = { address, source, policy: site.policy, signal, deadline };
  const ports = await pLimit(CONNECTIONS).map(targetsOf(site.policy), (target) => lookAtTarget(target, look));
  const answered = ports.some(({ state }) => state !== "no_answer" && state !== "not_checked");
  return { address, fromAddress: source.seenAs, answered, ports };
}

/** A resolver has patience of its own. */
function rejectAt(deadline: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const error = new Error("its name was not resolved in time");
  deadline.addEventListener("abort", () => reject(error), { once: true });
  return promise;
}

interface Look {
  readonly address: string;
  readonly source: Source;
  readonly policy: SitePolicy;
  readonly signal: AbortSignal;
  readonly deadline: AbortSignal;
}

async function lookAtTarget(target: Target, look: Look): Promise<StoredPort> {
  const { port, service } = target;
  const { address: host, source, policy, signal, deadline } = look;
  const nothing = { port, service, software: null, version: null, answer: null, finding: null };
  if (policy.counted.includes(port)) {
    return { ...nothing, state: "not_checked", reason: "brute-force protection would count the connection" };
  }
  const protocol = PROTOCOLS[service];
  try {
    const endpoint = { host, port, localAddress: source.localAddress };
    const { state, answer } = await lookAt(endpoint, protocol, AbortSignal.any([signal, deadline]));
    const { admits, reason } = evaluatePolicy(policy, target, source.seenAs);
    if (state !== "open") return { ...nothing, state, reason };
    const finding = admits ? "open_as_policy_says" : "open_against_policy";
    const line = printable(firstLine(service, answer).trim(), MAX_ANSWER_LENGTH);
    return { port, service, state, ...protocol.recognise(answer), answer: line || null, finding, reason };
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
    return { ...nothing, state: "not_checked", reason: "the check ran out of time" };
  }
}

import type { Observed, Step } from "../reconcile/types.ts";
import { type AddressSet, familyOf, intersect, isEmpty, NOBODY, parseAddresses } from "./address-set.ts";
import { Budget } from "./budget.ts";
import { filterTable } from "./filter-table.ts";
import { deciderOf } from "./format.ts";
import { serviceGate } from "./service-gate.ts";
import { simulate } from "./simulate.ts";
import { type Condition, type Outcome, TOO_LARGE, walk } from "./walk.ts";

/** How Portreeve itself comes in. */
export interface ManagementPath {
  /** The address the router sees us come from. */
  readonly address: string;
  /** The port we shall try after the change: the service's new one, where the change moves it. */
  readonly port: number;
  /** RouterOS's name of the service. */
  readonly service: "api" | "api-ssl";
}

export interface ManagementPathProblem {
  /** false: it depends on something that can't be known from here, such as an interface list. */
  readonly certain: boolean;
  /** One line for people; router text in it is escaped. */
  readonly reason: string;
}

/** For one address: some thousand rules, each tried once. It is asked on the way to every delivery, so it is short. */
const BUDGET_UNITS = 200_000;

/** Every unknown doubles the cases that are tried: at most 1024. */
const MAX_UNKNOWNS = 10;

/**
 * Would a change end our own management path? Asked before a plan is delivered, with the rows as read and the rows as they
 * will be (`simulate`). Pure.
 *
 * That we are connected is evidence: of what can't be known from here (which interface we come by), only what fits
 * with being let in now is considered. So a rule that depends on an interface and stands ahead of us before and
 * after is no problem, and neither is whatever the change leaves as it was.
 *
 * @param before `/ip/service`, and `filter` and `address-list` of our family, dynamic rows included; a menu that is
 *   absent filters nothing
 * @param managementPath in terms of the router: a port that is forwarded to the service on the way is not evaluated
 * @returns undefined when new connections of ours are still accepted; else what would stop them. `certain: true` must
 *   not be delivered; `certain: false` may be, where the router undoes it by itself
 */
export function guardManagementPath(
  before: Observed,
  after: Observed,
  managementPath: ManagementPath,
): ManagementPathProblem | undefined {
  return closedService(before, after, managementPath) ?? closedFilter(before, after, managementPath);
}

/**
 * Would these steps end our own management path for certain? The service may move: we follow it.
 * @param way the address the router sees us come from, and the service we come in by
 * @returns why they must not be delivered
 */
export function certainLockOut(
  observed: Observed,
  steps: readonly Step[],
  { address, service }: Pick<ManagementPath, "address" | "service">,
): string | undefined {
  const after = simulate(observed, steps);
  const { port } = serviceGate(after, service, familyOf(address));
  const found = guardManagementPath(observed, after, { address, service, port });
  return found?.certain ? found.reason : undefined;
}

function closedService(
  before: Observed,
  after: Observed,
  managementPath: ManagementPath,
): ManagementPathProblem | undefined {
  const { address, port, service } = managementPath;
  const family = familyOf(address);
  const [was, is] = [before, after].map((rows) => serviceGate(rows, service, family));
  if (!was || !is) return undefined;
  const own = addressOf(managementPath);
  const admits = (admitted: AddressSet) => !isEmpty(intersect(admitted, own));
  if (admits(was.admits) && !admits(is.admits))
    return { certain: true, reason: `${is.setting} (${address})` };
  if (was.port === is.port || is.port === port) return undefined;
  return { certain: true, reason: `service ${service} would move to port ${is.port}, not to ${port}` };
}

function closedFilter(
  before: Observed,
  after: Observed,
  managementPath: ManagementPath,
): ManagementPathProblem | undefined {
  const was = casesOf(before, managementPath);
  const is = casesOf(after, managementPath);
  if ([...was, ...is].some(isTooLarge)) return problem(is.find(refuses), managementPath, false);
  const possible = assignmentsOf([...was, ...is]);
  if (!possible) return sameCases(was, is) ? undefined : problem(is.find(refuses), managementPath, false);
  const now = possible.filter((answers) => !refuses(whatHappens(was, answers)));
  // Where the rows say that we can't be in, they don't tell all. Then what the change leaves as it was is not its doing.
  const changed = (answers: Answers) =>
    now.length > 0 || !sameRule(whatHappens(was, answers), whatHappens(is, answers));
  const asked = now.length > 0 ? now : possible;
  const closing = asked.filter((answers) => refuses(whatHappens(is, answers)) && changed(answers));
  const [first] = closing;
  return first && problem(whatHappens(is, first), managementPath, closing.length === asked.length);
}

function problem(outcome: Outcome | undefined, { address, service }: ManagementPath, certain: boolean) {
  if (!outcome) return undefined;
  const verb = certain ? "would refuse" : "might refuse";
  return { certain, reason: `${deciderOf(outcome)} ${verb} Portreeve (${address}) at ${service}` };
}

/** What may become of a connection of ours, in order: the first case whose conditions hold is what happens. */
function casesOf(observed: Observed, managementPath: ManagementPath): readonly Outcome[] {
  const family = familyOf(managementPath.address);
  const { port } = serviceGate(observed, managementPath.service, family);
  const options = { budget: new Budget(BUDGET_UNITS), sources: addressOf(managementPath) };
  return walk(filterTable(observed, family), { family, port }, options).outcomes;
}

function addressOf({ address }: ManagementPath): AddressSet {
  return parseAddresses(address, familyOf(address)) ?? NOBODY;
}

/** An answer for every unknown, by its key. */
type Answers = ReadonlyMap<string, boolean>;

/** Every way the unknowns may turn out; undefined when there are too many of them. */
function assignmentsOf(outcomes: readonly Outcome[]): Answers[] | undefined {
  const unknowns = outcomes.flatMap(({ conditions }) =>
    conditions.flatMap((condition) => condition.unknowns),
  );
  const keys = [...new Set(unknowns.map(({ key }) => key))];
  if (keys.length > MAX_UNKNOWNS) return undefined;
  return Array.from(
    { length: 2 ** keys.length },
    (_, bits) => new Map(keys.map((key, place) => [key, (bits & (1 << place)) !== 0])),
  );
}

function whatHappens(cases: readonly Outcome[], answers: Answers): Outcome | undefined {
  return cases.find(({ conditions }) => conditions.every((condition) => isMet(condition, answers)));
}

function isMet({ unknowns, holds }: Condition, answers: Answers): boolean {
  return unknowns.every((unknown) => answers.get(unknown.key) === unknown.holds) === holds;
}

const refuses = (outcome: Outcome | undefined): boolean => outcome?.verdict === "refuse";

const isTooLarge = ({ conditions }: Outcome): boolean =>
  conditions.some(({ unknowns }) => unknowns.includes(TOO_LARGE));

function sameCases(left: readonly Outcome[], right: readonly Outcome[]): boolean {
  return left.length === right.length && left.every((outcome, place) => sameRule(outcome, right[place]));
}

function sameRule(left: Outcome | undefined, right: Outcome | undefined): boolean {
  return left?.verdict === right?.verdict && left?.rule?.row[".id"] === right?.rule?.row[".id"];
}

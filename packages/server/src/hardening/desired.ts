/** The rows that the chosen fixes mean on a router. Pure. */
import type { DesiredMenu, RouterFacts } from "../reconcile/types.ts";
import { findCheck } from "./checks/index.ts";
import type { Fix } from "./types.ts";

export interface ChosenFix {
  /** The finding's id. */
  readonly id: string;
  /** Young enough for a fix that is made once. */
  readonly isFresh: boolean;
}

export interface HardeningFacts {
  readonly chosen: readonly ChosenFix[];
}

export function desired({ chosen }: HardeningFacts, router: RouterFacts): DesiredMenu[] {
  // Off-boarding leaves the router as hard as it is.
  if (router.offboarding) return [];
  return chosen.filter(isInForce).flatMap(({ id }) => fixOf(id)?.desired() ?? []);
}

/** A fix that is made once is tried for a while; the others are kept. */
export function isInForce({ id, isFresh }: ChosenFix): boolean {
  return fixOf(id)?.once === undefined || isFresh;
}

/** What Portreeve does about a finding; undefined where that is nothing. */
export function fixOf(id: string): Fix | undefined {
  const fix = findCheck(id)?.fix;
  return typeof fix === "string" ? undefined : fix;
}

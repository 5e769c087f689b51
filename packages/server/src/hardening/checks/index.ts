import type { Check } from "../types.ts";
import { encryptionChecks } from "./encryption.ts";
import { exposedChecks } from "./exposed.ts";
import { firewallChecks } from "./firewall.ts";
import { layer2Checks } from "./layer2.ts";
import { serviceChecks } from "./services.ts";
import { systemChecks } from "./system.ts";
import { userChecks } from "./users.ts";

/** Every check of the report, in its order. */
export const CHECKS: readonly Check[] = [
  ...systemChecks,
  ...userChecks,
  ...serviceChecks,
  ...encryptionChecks,
  ...firewallChecks,
  ...exposedChecks,
  ...layer2Checks,
];

/** Menus the checks look at, those they can do without included. */
export const MENUS: readonly string[] = [
  ...new Set(CHECKS.flatMap(({ reads, mayRead = [] }) => [...reads, ...mayRead])),
];

export function findCheck(id: string): Check | undefined {
  return CHECKS.find((check) => check.id === id);
}

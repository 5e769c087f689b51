/**
 * Which properties of a filter rule choose packets, and which do not.
 * Source: MikroTik manual, "Common Firewall Matchers and Actions".
 */

/** Logging, and what RouterOS shows of a rule's state. They change nothing about which packets a rule matches. */
const NOTES = ["disabled", "dynamic", "invalid", "bytes", "packets", "log", "log-prefix"] as const;

/** What a rule does with the packets it matches, where it stands, and what it is called. */
const EFFECTS = [
  "chain",
  "action",
  "jump-target",
  "address-list",
  "address-list-timeout",
  "reject-with",
  "comment",
] as const;

/** Logging and state of a filter rule: nothing of it tells one rule's effect from another's. */
export const FIREWALL_RULE_NOTES: ReadonlySet<string> = new Set(NOTES);

/** Properties of a filter rule that match no packet and narrow nothing. */
export const FIREWALL_NON_MATCHERS: ReadonlySet<string> = new Set([...EFFECTS, ...NOTES]);

/**
 * Does this property of a rule narrow which packets it matches? A property nobody knows (of a newer RouterOS) counts as
 * a matcher: a rule that has one is never taken for a rule that matches everything.
 * @param property as a print names it; `.id` and the like are no matchers
 */
export function isFirewallMatcher(property: string): boolean {
  return !property.startsWith(".") && !FIREWALL_NON_MATCHERS.has(property);
}

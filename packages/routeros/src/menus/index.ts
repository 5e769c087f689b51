export { ipService, user, userActive, userGroup } from "./access.ts";
export type { FieldFacts, MenuFacts } from "./facts.ts";
export { isSkipped, readField, wireFieldName } from "./facts.ts";
export type { FieldKind } from "./fields.ts";
export { canonical, wireValue } from "./fields.ts";
export {
  firewallAddressList,
  firewallFilter,
  ipv6FirewallAddressList,
  ipv6FirewallFilter,
} from "./firewall.ts";
export { FIREWALL_NON_MATCHERS, FIREWALL_RULE_NOTES, isFirewallMatcher } from "./firewall-rule.ts";
export {
  bandwidthServer,
  ipDns,
  ipProxy,
  ipSocks,
  ipSsh,
  ipUpnp,
  macPing,
  macServer,
  macWinbox,
  neighborDiscovery,
  romon,
  snmp,
  userSettings,
} from "./settings.ts";
export { certificate, file, systemIdentity, systemScheduler, systemScript } from "./system.ts";
export type { RouterDate, TypedRow, TypedValues } from "./typed.ts";
export { toTyped, toWire } from "./typed.ts";

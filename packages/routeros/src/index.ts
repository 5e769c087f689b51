export type { ClientOptions, ListenOptions, PrintOptions } from "./client.ts";
export { RouterClient } from "./client.ts";
export type { DecoderLimits, Row, Word } from "./codec/index.ts";
export {
  attributeWord,
  DEFAULT_DECODER_LIMITS,
  DecodeError,
  encodeLength,
  encodeSentence,
  Sentence,
  SentenceDecoder,
} from "./codec/index.ts";
export type { Values } from "./command.ts";
export type { ConnectionOptions, RunOptions } from "./connection.ts";
export { Connection } from "./connection.ts";
export type { ConnectStage, LoginRefusal } from "./errors.ts";
export {
  CommandTimeoutError,
  ConnectError,
  ConnectionClosedError,
  ConnectionLostError,
  FatalError,
  InvalidCommandError,
  InvalidValueError,
  LoginError,
  ProtocolError,
  ReplyTooLargeError,
  RouterOsError,
  TrapError,
} from "./errors.ts";
export type { Reply, ReplyLimits } from "./exchange.ts";
export type { FieldFacts, FieldKind, MenuFacts, RouterDate, TypedRow, TypedValues } from "./menus/index.ts";
export {
  bandwidthServer,
  canonical,
  certificate,
  FIREWALL_NON_MATCHERS,
  FIREWALL_RULE_NOTES,
  file,
  firewallAddressList,
  firewallFilter,
  ipDns,
  ipProxy,
  ipService,
  ipSocks,
  ipSsh,
  ipUpnp,
  ipv6FirewallAddressList,
  ipv6FirewallFilter,
  isFirewallMatcher,
  isSkipped,
  macPing,
  macServer,
  macWinbox,
  neighborDiscovery,
  readField,
  romon,
  snmp,
  systemIdentity,
  systemScheduler,
  systemScript,
  toTyped,
  toWire,
  user,
  userActive,
  userGroup,
  userSettings,
  wireFieldName,
  wireValue,
} from "./menus/index.ts";
export { anyOf } from "./queries.ts";
export type { Piece, Placeholder, Script, ScriptValue } from "./script/index.ts";
export { array, duration, identifier, itemId, list, menu, script, value } from "./script/index.ts";
export { sameFingerprint, type TlsOptions } from "./tls.ts";
export type { DateForm, RouterDateTime } from "./values.ts";
export {
  formatBoolean,
  formatDateTime,
  formatDuration,
  formatId,
  formatList,
  isId,
  parseBoolean,
  parseDateTime,
  parseDurationMs,
  parseId,
  parseList,
} from "./values.ts";
export type { RouterOsVersion } from "./version.ts";
export { atLeast, compareVersions, parseVersion } from "./version.ts";

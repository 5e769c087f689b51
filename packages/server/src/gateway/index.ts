export { Gateway, type GatewayOptions } from "./gateway.ts";
export type { GatewayLimits } from "./limits.ts";
export type {
  CloseReason,
  ConnectionSummary,
  EndReason,
  GatewayLog,
  Listener,
  ListenerStatus,
  RefusalReason,
} from "./types.ts";

export { GatewayClosedError, ListenerConflictError, PortInUseError } from "./errors.ts";
export { Gateway, type GatewayOptions } from "./gateway.ts";
export { defaultLimits, type GatewayLimits } from "./limits.ts";
export type {
  CloseReason,
  ConnectionSummary,
  EndReason,
  GatewayLog,
  Listener,
  ListenerStatus,
  RefusalReason,
} from "./types.ts";

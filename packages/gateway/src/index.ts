export type { GatewayLimits } from "./byte-path/limits.ts";
export { CLOSE_REASONS, type CloseReason, type GatewayLog, type ListenerStatus } from "./byte-path/types.ts";
export { GatewayConfigError, loadGatewayConfig } from "./config.ts";
export type { ControlAddress } from "./control-address.ts";
export { CONTROL_PATH } from "./control-client.ts";
export { Journal, type JournalValue } from "./journal.ts";
export { type LeaseTimes, leaseTimes } from "./lease.ts";
export { StateDirInUseError } from "./lock.ts";
export {
  type ConnectionEvent,
  MAX_FRAME_BYTES,
  type OpenMessage,
  PROTOCOL,
  parseToControl,
  type Report,
  type ToControl,
  type ToGateway,
} from "./messages.ts";
export { type GatewayStartOptions, type RunningGateway, startGateway } from "./start.ts";

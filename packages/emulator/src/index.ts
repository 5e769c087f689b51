export type { ActiveSession, MenuRow } from "./control.ts";
export { Control, ControlError } from "./control.ts";
export type { Emulator } from "./emulator.ts";
export { startEmulator } from "./emulator.ts";
export type { ApiFault, Fault, LateCertificateFault, RefuseFault } from "./faults.ts";
export type { EmulatorOptions, OpenSessions, ServiceName, StartingUser } from "./options.ts";
export { SERVICE_NAMES } from "./options.ts";
export type { Peer } from "./services/peers.ts";
export type { TranscriptLine } from "./transcript.ts";

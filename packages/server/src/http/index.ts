export { buildApp } from "./app.ts";
export type { Caller, TokenHolder } from "./caller.ts";
export { InsufficientScopeError } from "./errors.ts";
export { pageOf, readCursor, timeAndId } from "./list.ts";
export { createLogger } from "./log.ts";
export { mutate } from "./mutate.ts";
export { noStore } from "./no-store.ts";
export { read, readRecorded } from "./read.ts";
export type { HttpModule } from "./typed-app.ts";

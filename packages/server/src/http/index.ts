export { type AppOptions, buildApp } from "./app.ts";
export { type Authenticate, requireScope } from "./authentication.ts";
export {
  DomainError,
  type FieldErrors,
  NotFoundError,
  type ProblemFields,
  ValidationError,
} from "./errors.ts";
export type { ReadinessCheck } from "./health.ts";
export { exactTime, type Page, pageOf, readCursor, timeAndId } from "./list.ts";
export { createLogger } from "./log.ts";
export { mutate } from "./mutate.ts";
export { noStore } from "./no-store.ts";
export { read } from "./read.ts";
export type { HttpModule, TypedApp } from "./typed-app.ts";

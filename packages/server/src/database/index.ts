export { type Connection, isUnavailable, waitForServer } from "./connection.ts";
export { Database, type DatabaseOptions, type Trx } from "./database.ts";
export { lockDirectory } from "./embedded/owner-lock.ts";
export {
  AlreadyRunningError,
  ClusterMismatchError,
  type EmbeddedOptions,
  type EmbeddedPostgres,
  EmbeddedStartError,
  startEmbedded,
} from "./embedded.ts";
export type { Log } from "./log.ts";
export {
  MigrationError,
  type MigrationErrorCode,
  migrate,
} from "./migrate.ts";
export { Notifications, type NotificationsOptions, notify } from "./notify.ts";
export { type SiteLock, SiteLocks, type SiteLocksOptions } from "./site-lock.ts";
export type * from "./tables.ts";

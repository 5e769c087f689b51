export { isUnavailable, waitForServer } from "./connection.ts";
export { Database, type DatabaseOptions } from "./database.ts";
export {
  AlreadyRunningError,
  ClusterMismatchError,
  type EmbeddedOptions,
  type EmbeddedPostgres,
  EmbeddedStartError,
  startEmbedded,
} from "./embedded.ts";
export { exactTime } from "./exact-time.ts";
export { type Connection, hostsOf } from "./hosts.ts";
export type { Log } from "./log.ts";
export {
  MigrationError,
  type MigrationErrorCode,
  migrate,
} from "./migrate.ts";
export { notify } from "./notifier.ts";
export { Notifications, type NotificationsOptions } from "./notify.ts";
export { type SiteLock, SiteLocks, type SiteLocksOptions } from "./site-lock.ts";
export type * from "./tables.ts";
export type { Trx } from "./trx.ts";

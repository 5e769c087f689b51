export { type Connection, isUnavailable, namedConnection, waitForServer } from "./connection.ts";
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
export { exactTime } from "./exact-time.ts";
export {
  bucketOf,
  checkLease,
  holding,
  type Lease,
  type LeaseListener,
  LeaseLostError,
  Leases,
  type LeasesOptions,
} from "./leases/index.ts";
export type { Log } from "./log.ts";
export {
  MigrationError,
  type MigrationErrorCode,
  migrate,
} from "./migrate.ts";
export { Notifications, type NotificationsOptions, notify } from "./notify.ts";
export type * from "./tables.ts";

export { isUnavailable, namedConnection, waitForServer } from "./connection.ts";
export { Database, type DatabaseOptions } from "./database.ts";
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
export { type Connection, hostsOf } from "./hosts.ts";
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
export { notify } from "./notifier.ts";
export { Notifications, type NotificationsOptions } from "./notify.ts";
export type * from "./tables.ts";
export type { Trx } from "./trx.ts";

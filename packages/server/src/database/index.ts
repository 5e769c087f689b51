export { type Connection, isUnavailable, waitForServer } from "./connection.ts";
export { Database, type DatabaseOptions, type Trx } from "./database.ts";
export type { Log } from "./log.ts";
export {
  type Migration,
  MigrationError,
  type MigrationErrorCode,
  migrate,
  readMigrations,
} from "./migrate.ts";
export { TransactionAbortedError } from "./scoped-driver.ts";
export type { SiteStatus, StoredService, SyncState, Tables } from "./tables.ts";

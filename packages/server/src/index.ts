export { type Config, ConfigError, loadConfig } from "./config.ts";
export {
  AlreadyRunningError,
  ClusterMismatchError,
  EmbeddedStartError,
  MigrationError,
} from "./database/index.ts";
export { createLogger } from "./kernel/log.ts";
export { type RunningServer, startServer } from "./main.ts";
export { ROLES, type Role } from "./settings.ts";
export { type SupervisedServer, supervise } from "./supervisor/index.ts";
export { BootstrapTokenError } from "./tokens/index.ts";
export { KeyFileError } from "./vault/index.ts";

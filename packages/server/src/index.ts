export { type Config, ConfigError, loadConfig, ROLES, type Role, SETTINGS } from "./config.ts";
export {
  AlreadyRunningError,
  ClusterMismatchError,
  EmbeddedStartError,
  MigrationError,
} from "./database/index.ts";
export { createLogger } from "./http/index.ts";
export { type RunningServer, startServer } from "./main.ts";
export { type SupervisedServer, supervise } from "./supervisor/index.ts";
export { BootstrapTokenError } from "./tokens/index.ts";
export { KeyFileError } from "./vault/index.ts";

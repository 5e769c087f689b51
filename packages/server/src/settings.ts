/**
 * The settings: environment variables, or flags of the same name. This table is the one place for the form, the meaning
 * and the default of each: the server reads by it (`config.ts`), the command line makes its flags of it, and the README
 * is held against it. It imports nothing, because the command line loads it at every start.
 */
export const ROLES = ["api", "reconciler", "gateway"] as const;
export type Role = (typeof ROLES)[number];

interface Setting {
  /** What a value looks like, for the help; `true|false` makes a flag that means yes when it stands alone. */
  readonly value: string;
  readonly description: string;
  /** Taken when nothing is set, as if it had been given. */
  readonly default?: string;
  /** Said in place of a default: what holds without the setting. */
  readonly unset?: string;
}

export const SETTINGS = {
  PORTREEVE_HTTP: {
    value: "address:port",
    description: "where API and portal listen; port 0 picks a free one",
    default: "127.0.0.1:8080",
  },
  PORTREEVE_DATA_DIR: {
    value: "directory",
    description: "embedded database and master key",
    default: "./.portreeve",
  },
  PORTREEVE_STATE_DIR: {
    value: "directory",
    description: "what the gateway remembers outside the database; not to be restored from a backup",
    unset: "beside the data directory, its name and -state",
  },
  DATABASE_URL: {
    value: "url",
    description: "external PostgreSQL; a password in it is better given in the environment",
    unset: "embedded PostgreSQL",
  },
  DATABASE_DIRECT_URL: {
    value: "url",
    description: "the PostgreSQL server itself, when --database-url is a pooler in transaction mode",
    unset: "none",
  },
  PORTREEVE_METRICS: {
    value: "address:port",
    description: "where /healthz, /readyz and /metrics of this host answer; keep it off public addresses",
    unset: "none",
  },
  PORTREEVE_MASTER_KEY_FILE: {
    value: "file",
    description: "key-encryption keys",
    unset: "master.key in the data directory",
  },
  PORTREEVE_BOOTSTRAP_TOKEN: {
    value: "token",
    description: "first admin token, 32 or more characters; better given in the environment",
    unset: "random, printed once",
  },
  PORTREEVE_PUBLIC_URL: {
    value: "url",
    description: "how routers and people reach API and portal",
    unset: "from PORTREEVE_HTTP",
  },
  PORTREEVE_MANAGEMENT_ADDRESS: {
    value: "address",
    description: "the source address of our connections, as routers see it",
    default: "100.64.0.1",
  },
  PORTREEVE_API_USERNAME: {
    value: "name",
    description: "name of our user on routers",
    default: "portreeve-api",
  },
  PORTREEVE_RECONCILE_SECONDS: {
    value: "seconds",
    description: "the reconciler's period; a change wakes it at once",
    default: "30",
  },
  PORTREEVE_GATEWAY: {
    value: "address",
    description: "address the gateway listens on",
    default: "127.0.0.1",
  },
  PORTREEVE_GATEWAY_NAME: {
    value: "name",
    description: "this host's gateway; with several hosts one name each",
    default: "local",
  },
  PORTREEVE_GATEWAY_PORTS: {
    value: "first-last",
    description: "ports for transient access",
    default: "40000-49999",
  },
  PORTREEVE_ENTRY_POINT: {
    value: "host",
    description: "host name people connect to for transient access",
    default: "localhost",
  },
  PORTREEVE_ALLOW_LOOPBACK_SITES: {
    value: "true|false",
    description: "let a site's address be loopback; for demo and tests",
    default: "false",
  },
  PORTREEVE_EXPOSURE_HOURS: {
    value: "hours",
    description: "how often every site is checked from outside; 0: only on request",
    default: "24",
  },
  PORTREEVE_TRUSTED_PROXIES: {
    value: "networks",
    description: "proxies whose X-Forwarded-For header is trusted, separated by commas",
    unset: "none",
  },
  PORTREEVE_LOG_LEVEL: {
    value: "level",
    description: "trace, debug, info, warn, error or silent",
    default: "info",
  },
  PORTREEVE_ROLES: {
    value: "roles",
    description: `all, or some of ${ROLES.join(", ")} separated by commas`,
    default: "all",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

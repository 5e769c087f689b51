/** The server's configuration, read from its settings once at start. */
import { join, resolve } from "node:path";
import { type Role, readSettings } from "./settings.ts";

export interface Config {
  readonly http: { readonly host: string; readonly port: number };
  readonly dataDir: string;
  /** A PostgreSQL server; undefined: the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly bootstrapToken: string | undefined;
  readonly publicUrl: string | undefined;
  readonly reconcileSeconds: number;
  readonly masterKeyFile: string;
  readonly entryPoint: string;
  readonly gateway: {
    readonly host: string;
    readonly ports: { readonly first: number; readonly last: number };
  };
  readonly managementAddress: string;
  readonly apiUsername: string;
  readonly allowLoopbackSites: boolean;
  /** Between two looks at a site from outside; 0: none by itself. */
  readonly exposureHours: number;
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  readonly roles: ReadonlySet<Role>;
}

/** @throws ConfigError naming each setting that can't be used */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values = readSettings(environment);
  const dataDir = resolve(values.PORTREEVE_DATA_DIR);
  return {
    http: values.PORTREEVE_HTTP,
    dataDir,
    databaseUrl: values.DATABASE_URL,
    bootstrapToken: values.PORTREEVE_BOOTSTRAP_TOKEN,
    publicUrl: values.PORTREEVE_PUBLIC_URL,
    reconcileSeconds: values.PORTREEVE_RECONCILE_SECONDS,
    masterKeyFile: values.PORTREEVE_MASTER_KEY_FILE ?? join(dataDir, "master.key"),
    entryPoint: values.PORTREEVE_ENTRY_POINT,
    gateway: { host: values.PORTREEVE_GATEWAY, ports: values.PORTREEVE_GATEWAY_PORTS },
    managementAddress: values.PORTREEVE_MANAGEMENT_ADDRESS,
    apiUsername: values.PORTREEVE_API_USERNAME,
    allowLoopbackSites: values.PORTREEVE_ALLOW_LOOPBACK_SITES,
    exposureHours: values.PORTREEVE_EXPOSURE_HOURS,
    trustedProxies: values.PORTREEVE_TRUSTED_PROXIES ?? [],
    logLevel: values.PORTREEVE_LOG_LEVEL,
    roles: new Set(values.PORTREEVE_ROLES),
  };
}

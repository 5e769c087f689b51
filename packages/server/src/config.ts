/** The server's configuration, read from its settings once at start. */
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { z } from "zod";
import { hostsOf } from "./database/index.ts";
import { ROLES, type Role, SETTINGS, type SettingName } from "./settings.ts";

export interface Config {
  readonly http: { readonly host: string; readonly port: number };
  /** Where this host's health is told; undefined: nowhere but at the API. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly dataDir: string;
  /** What must not be restored together with the database. */
  readonly stateDir: string;
  /** A PostgreSQL server; undefined: the embedded one. */
  readonly databaseUrl: string | undefined;
  /** The server itself where a pooler in transaction mode stands before it. */
  readonly databaseDirectUrl: string | undefined;
  readonly bootstrapToken: string | undefined;
  readonly publicUrl: string | undefined;
  readonly reconcileSeconds: number;
  readonly masterKeyFile: string;
  readonly entryPoint: string;
  readonly gateway: {
    readonly name: string;
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

/** A setting that can't be used as it is; the message names it and says what to write. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const text = z.string().min(1);
const endpoint = z.string().transform((given, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(given);
  const port = Number(match?.[3]);
  if (match && port <= 65535) return { host: match[1] ?? match[2] ?? "", port };
  context.addIssue({ code: "custom", message: "must be address:port, for example 127.0.0.1:8080" });
  return z.NEVER;
});
const portRange = z.string().transform((given, context) => {
  const [first = 0, last = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(given) ?? []).slice(1).map(Number);
  if (first >= 1 && last <= 65535 && first <= last) return { first, last };
  context.addIssue({ code: "custom", message: "must be a range of ports, for example 40000-49999" });
  return z.NEVER;
});
const address = z
  .string()
  .refine((given) => isIP(given) !== 0, "must be an IP address, for example 100.64.0.1");
const flag = z.enum(["true", "false"], "must be true or false").transform((given) => given === "true");
const number = (unit: string, min: number, max: number) =>
  z
    .string()
    .transform(Number)
    .pipe(z.number(`must be a number of ${unit}`).min(min, `must be ${min} or more`).max(max));
const list = z.string().transform((given) => given.split(",").filter((part) => part !== ""));

/** Not a URL to WHATWG: it may name several hosts, or none, as in postgresql://user@/name?host=/run/postgresql. */
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, "must be a postgresql:// address")
  .superRefine((given, context) => {
    try {
      hostsOf(given);
    } catch (error) {
      context.addIssue({
        code: "custom",
        message: `must be a postgresql:// address: ${(error as Error).message}`,
      });
    }
  });

const SCHEMAS = {
  PORTREEVE_HTTP: endpoint,
  PORTREEVE_DATA_DIR: text,
  PORTREEVE_STATE_DIR: text,
  DATABASE_URL: databaseUrl,
  DATABASE_DIRECT_URL: databaseUrl,
  PORTREEVE_METRICS: endpoint,
  PORTREEVE_MASTER_KEY_FILE: text,
  PORTREEVE_BOOTSTRAP_TOKEN: z.string().min(32, "must be 32 or more characters"),
  PORTREEVE_PUBLIC_URL: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" }),
  PORTREEVE_MANAGEMENT_ADDRESS: address,
  PORTREEVE_API_USERNAME: z
    .string()
    .regex(
      /^[A-Za-z0-9_#@][A-Za-z0-9_.#@-]{0,30}[A-Za-z0-9]$/,
      "must be a RouterOS user name of 2 to 32 characters",
    ),
  PORTREEVE_RECONCILE_SECONDS: number("seconds", 1, 3600),
  PORTREEVE_GATEWAY: address,
  PORTREEVE_GATEWAY_NAME: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be 1 to 63 small letters, digits and hyphens"),
  PORTREEVE_GATEWAY_PORTS: portRange,
  PORTREEVE_ENTRY_POINT: text,
  PORTREEVE_ALLOW_LOOPBACK_SITES: flag,
  PORTREEVE_EXPOSURE_HOURS: number("hours", 0, 8760),
  PORTREEVE_TRUSTED_PROXIES: list,
  PORTREEVE_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]),
  PORTREEVE_ROLES: z
    .string()
    .transform((given) => (given === "all" ? [...ROLES] : given.split(",")))
    .pipe(z.array(z.enum(ROLES, `must be all, or some of ${ROLES.join(", ")} separated by commas`))),
} as const satisfies Readonly<Record<SettingName, z.ZodType<unknown, string>>>;

type Settings = typeof SETTINGS;
/** What each setting says; undefined where none is given and there is no default. */
type Values = {
  readonly [Name in SettingName]:
    | z.output<(typeof SCHEMAS)[Name]>
    | (Settings[Name] extends { readonly default: string } ? never : undefined);
};

/** @throws ConfigError naming each setting that can't be used */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values = readSettings(environment);
  if (values.DATABASE_DIRECT_URL !== undefined && values.DATABASE_URL === undefined) {
    throw new ConfigError(
      "DATABASE_DIRECT_URL: must come with DATABASE_URL, the address of the pooler before that server",
    );
  }
  if (values.PORTREEVE_ROLES.includes("gateway") && !values.PORTREEVE_ROLES.includes("api")) {
    throw new ConfigError(
      "PORTREEVE_ROLES: the role gateway runs beside api; for a gateway on a host of its own use portreeve gateway",
    );
  }
  const dataDir = resolve(values.PORTREEVE_DATA_DIR);
  return {
    http: values.PORTREEVE_HTTP,
    metrics: values.PORTREEVE_METRICS,
    dataDir,
    stateDir: resolve(values.PORTREEVE_STATE_DIR ?? `${dataDir}-state`),
    databaseUrl: values.DATABASE_URL,
    databaseDirectUrl: values.DATABASE_DIRECT_URL,
    bootstrapToken: values.PORTREEVE_BOOTSTRAP_TOKEN,
    publicUrl: values.PORTREEVE_PUBLIC_URL,
    reconcileSeconds: values.PORTREEVE_RECONCILE_SECONDS,
    masterKeyFile: values.PORTREEVE_MASTER_KEY_FILE ?? join(dataDir, "master.key"),
    entryPoint: values.PORTREEVE_ENTRY_POINT,
    gateway: {
      name: values.PORTREEVE_GATEWAY_NAME,
      host: values.PORTREEVE_GATEWAY,
      ports: values.PORTREEVE_GATEWAY_PORTS,
    },
    managementAddress: values.PORTREEVE_MANAGEMENT_ADDRESS,
    apiUsername: values.PORTREEVE_API_USERNAME,
    allowLoopbackSites: values.PORTREEVE_ALLOW_LOOPBACK_SITES,
    exposureHours: values.PORTREEVE_EXPOSURE_HOURS,
    trustedProxies: values.PORTREEVE_TRUSTED_PROXIES ?? [],
    logLevel: values.PORTREEVE_LOG_LEVEL,
    roles: new Set(values.PORTREEVE_ROLES),
  };
}

function readSettings(environment: Readonly<Record<string, string | undefined>>): Values {
  const problems: string[] = [];
  const values = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const setting = SETTINGS[name];
    // An empty variable counts as not set.
    const given = environment[name] || ("default" in setting ? setting.default : undefined);
    if (given === undefined) return [name, undefined];
    const parsed = SCHEMAS[name].safeParse(given);
    if (!parsed.success) problems.push(...parsed.error.issues.map(({ message }) => `${name}: ${message}`));
    return [name, parsed.data];
  });
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return Object.fromEntries(values) as Values;
}

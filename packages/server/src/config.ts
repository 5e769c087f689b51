/** Settings: environment variables, each with its default, checked once at start. */
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { z } from "zod";
import { hostsOf } from "./database/index.ts";

export const ROLES = ["api", "reconciler", "gateway"] as const;
export type Role = (typeof ROLES)[number];

export interface Config {
  readonly http: { readonly host: string; readonly port: number };
  readonly dataDir: string;
  /** A PostgreSQL server, several of which one is the primary, or a pooler before them; undefined: the embedded one. */
  readonly databaseUrl: string | undefined;
  /** The server itself where a pooler in transaction mode stands before it. */
  readonly databaseDirectUrl: string | undefined;
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

/** A setting that can't be used as it is; the message names it and says what to write. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const endpoint = z.string().transform((text, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match && port <= 65535) return { host: match[1] ?? match[2] ?? "", port };
  context.addIssue({ code: "custom", message: "must be address:port, for example 127.0.0.1:8080" });
  return z.NEVER;
});

const portRange = z.string().transform((text, context) => {
  const [first = 0, last = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).slice(1).map(Number);
  if (first >= 1 && last <= 65535 && first <= last) return { first, last };
  context.addIssue({ code: "custom", message: "must be a range of ports, for example 40000-49999" });
  return z.NEVER;
});

const address = z
  .string()
  .refine((text) => isIP(text) !== 0, "must be an IP address, for example 100.64.0.1");
const flag = z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");

/** Not a URL to WHATWG: it may name several hosts, or none, as in postgresql://user@/name?host=/run/postgresql. */
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, "must be a postgresql:// address")
  .superRefine((text, context) => {
    try {
      hostsOf(text);
    } catch (error) {
      context.addIssue({
        code: "custom",
        message: `must be a postgresql:// address: ${(error as Error).message}`,
      });
    }
  });

const settings = z.object({
  PORTREEVE_HTTP: endpoint.prefault("127.0.0.1:8080"),
  PORTREEVE_DATA_DIR: z.string().min(1).default("./.portreeve"),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_DIRECT_URL: databaseUrl.optional(),
  PORTREEVE_BOOTSTRAP_TOKEN: z.string().min(32, "must be 32 or more characters").optional(),
  PORTREEVE_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: "must be an http:// or https:// address" })
    .optional(),
  PORTREEVE_RECONCILE_SECONDS: z.coerce
    .number("must be a number of seconds")
    .min(1, "must be 1 or more")
    .max(3600)
    .default(30),
  PORTREEVE_MASTER_KEY_FILE: z.string().min(1).optional(),
  PORTREEVE_ENTRY_POINT: z.string().min(1).default("localhost"),
  PORTREEVE_GATEWAY: address.default("127.0.0.1"),
  PORTREEVE_GATEWAY_PORTS: portRange.prefault("40000-49999"),
  PORTREEVE_MANAGEMENT_ADDRESS: address.default("100.64.0.1"),
  PORTREEVE_API_USERNAME: z
    .string()
    .regex(
      /^[A-Za-z0-9_#@][A-Za-z0-9_.#@-]{0,30}[A-Za-z0-9]$/,
      "must be a RouterOS user name of 2 to 32 characters",
    )
    .default("portreeve-api"),
  PORTREEVE_ALLOW_LOOPBACK_SITES: flag.prefault("false"),
  PORTREEVE_EXPOSURE_HOURS: z.coerce
    .number("must be a number of hours")
    .min(0, "must be 0 or more")
    .max(8760)
    .default(24),
  PORTREEVE_TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform((text) => text.split(",").filter((part) => part !== "")),
  PORTREEVE_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  PORTREEVE_ROLES: z
    .string()
    .default("all")
    .transform((text) => (text === "all" ? [...ROLES] : text.split(",")))
    .pipe(z.array(z.enum(ROLES, `must be all, or some of ${ROLES.join(", ")} separated by commas`))),
});

/** Names of all settings, for flags and documentation. */
export const SETTINGS = Object.keys(settings.shape);

/** @throws ConfigError naming each setting that can't be used */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(SETTINGS.map((name) => [name, environment[name] || undefined]));
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path[0] as string}: ${issue.message}`);
    throw new ConfigError(lines.join("\n"));
  }
  const values = parsed.data;
  if (values.DATABASE_DIRECT_URL !== undefined && values.DATABASE_URL === undefined) {
    throw new ConfigError(
      "DATABASE_DIRECT_URL: must come with DATABASE_URL, the address of the pooler before that server",
    );
  }
  const dataDir = resolve(values.PORTREEVE_DATA_DIR);
  return {
    http: values.PORTREEVE_HTTP,
    dataDir,
    databaseUrl: values.DATABASE_URL,
    databaseDirectUrl: values.DATABASE_DIRECT_URL,
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
    trustedProxies: values.PORTREEVE_TRUSTED_PROXIES,
    logLevel: values.PORTREEVE_LOG_LEVEL,
    roles: new Set(values.PORTREEVE_ROLES),
  };
}

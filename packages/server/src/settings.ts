/**
 * The settings: environment variables, or flags of the same name. This table is the one place for each: its form,
 * its meaning, what holds when it is not set. The command line makes its flags of it; the README is held against it.
 */
import { isIP } from "node:net";
import { z } from "zod";

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
  /** From the text given. */
  readonly schema: z.ZodType<unknown, string>;
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

export const SETTINGS = {
  PORTREEVE_HTTP: {
    value: "address:port",
    description: "where API and portal listen; port 0 picks a free one",
    default: "127.0.0.1:8080",
    schema: endpoint,
  },
  PORTREEVE_DATA_DIR: {
    value: "directory",
    description: "embedded database and master key",
    default: "./.portreeve",
    schema: text,
  },
  DATABASE_URL: {
    value: "url",
    description: "external PostgreSQL; a password in it is better given in the environment",
    unset: "embedded PostgreSQL",
    // Not a URL to WHATWG: the form for unix sockets, postgresql://user@/name?host=/run/postgresql, has no host.
    schema: z.string().regex(/^postgres(ql)?:\/\//, "must be a postgresql:// address"),
  },
  PORTREEVE_MASTER_KEY_FILE: {
    value: "file",
    description: "key-encryption keys",
    unset: "master.key in the data directory",
    schema: text,
  },
  PORTREEVE_BOOTSTRAP_TOKEN: {
    value: "token",
    description: "first admin token, 32 or more characters; better given in the environment",
    unset: "random, printed once",
    schema: z.string().min(32, "must be 32 or more characters"),
  },
  PORTREEVE_PUBLIC_URL: {
    value: "url",
    description: "how routers and people reach API and portal",
    unset: "from PORTREEVE_HTTP",
    schema: z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" }),
  },
  PORTREEVE_MANAGEMENT_ADDRESS: {
    value: "address",
    description: "the source address routers see us come from",
    default: "100.64.0.1",
    schema: address,
  },
  PORTREEVE_API_USERNAME: {
    value: "name",
    description: "name of our user on routers",
    default: "portreeve-api",
    schema: z
      .string()
      .regex(
        /^[A-Za-z0-9_#@][A-Za-z0-9_.#@-]{0,30}[A-Za-z0-9]$/,
        "must be a RouterOS user name of 2 to 32 characters",
      ),
  },
  PORTREEVE_RECONCILE_SECONDS: {
    value: "seconds",
    description: "the reconciler's period; a change wakes it at once",
    default: "30",
    schema: number("seconds", 1, 3600),
  },
  PORTREEVE_GATEWAY: {
    value: "address",
    description: "address the gateway listens on",
    default: "127.0.0.1",
    schema: address,
  },
  PORTREEVE_GATEWAY_PORTS: {
    value: "first-last",
    description: "ports for transient access",
    default: "40000-49999",
    schema: portRange,
  },
  PORTREEVE_ENTRY_POINT: {
    value: "host",
    description: "host name people connect to for transient access",
    default: "localhost",
    schema: text,
  },
  PORTREEVE_ALLOW_LOOPBACK_SITES: {
    value: "true|false",
    description: "let a site's address be loopback; for demo and tests",
    default: "false",
    schema: flag,
  },
  PORTREEVE_EXPOSURE_HOURS: {
    value: "hours",
    description: "how often every site is looked at from outside; 0: only when asked",
    default: "24",
    schema: number("hours", 0, 8760),
  },
  PORTREEVE_TRUSTED_PROXIES: {
    value: "networks",
    description: "proxies whose X-Forwarded-For is believed, separated by commas",
    unset: "none",
    schema: list,
  },
  PORTREEVE_LOG_LEVEL: {
    value: "level",
    description: "trace, debug, info, warn, error or silent",
    default: "info",
    schema: z.enum(["trace", "debug", "info", "warn", "error", "silent"]),
  },
  PORTREEVE_ROLES: {
    value: "roles",
    description: `all, or some of ${ROLES.join(", ")} separated by commas`,
    default: "all",
    schema: z
      .string()
      .transform((given) => (given === "all" ? [...ROLES] : given.split(",")))
      .pipe(z.array(z.enum(ROLES, `must be all, or some of ${ROLES.join(", ")} separated by commas`))),
  },
} as const satisfies Readonly<Record<string, Setting>>;

type Known = typeof SETTINGS;
export type SettingName = keyof Known;
/** What each setting says; undefined where none is given and there is no default. */
export type SettingValues = {
  readonly [Name in SettingName]:
    | z.output<Known[Name]["schema"]>
    | (Known[Name] extends { readonly default: string } ? never : undefined);
};

/**
 * @param environment an empty variable counts as not set
 * @throws ConfigError naming each setting that can't be used
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): SettingValues {
  const problems: string[] = [];
  const values = Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
    const given = environment[name] || setting.default;
    if (given === undefined) return [name, undefined];
    const parsed = setting.schema.safeParse(given);
    if (!parsed.success) problems.push(...parsed.error.issues.map(({ message }) => `${name}: ${message}`));
    return [name, parsed.data];
  });
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return Object.fromEntries(values) as SettingValues;
}

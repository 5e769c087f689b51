/** The server's settings as flags. Names, meanings and defaults; the server itself checks the values. */
import { type Command, Option } from "commander";

interface Setting {
  /** What the value looks like in the help. */
  readonly value: string;
  readonly description: string;
  readonly default: string;
}

/** Environment name -> what it is. The flag is the name without PORTREEVE_, in kebab case. */
export const SETTING_FLAGS: Readonly<Record<string, Setting>> = {
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
  DATABASE_URL: {
    value: "url",
    description: "external PostgreSQL; a password in it is better given in the environment",
    default: "embedded PostgreSQL",
  },
  DATABASE_DIRECT_URL: {
    value: "url",
    description: "the PostgreSQL server itself, when --database-url is a pooler in transaction mode",
    default: "none",
  },
  PORTREEVE_BOOTSTRAP_TOKEN: {
    value: "token",
    description: "first admin token, 32 or more characters; better given in the environment",
    default: "random, printed once",
  },
  PORTREEVE_PUBLIC_URL: {
    value: "url",
    description: "how routers and people reach API and portal",
    default: "from --http",
  },
  PORTREEVE_RECONCILE_SECONDS: {
    value: "seconds",
    description: "the reconciler's period; a change wakes it at once",
    default: "30",
  },
  PORTREEVE_MASTER_KEY_FILE: {
    value: "file",
    description: "key-encryption keys",
    default: "master.key in the data directory",
  },
  PORTREEVE_ENTRY_POINT: {
    value: "host",
    description: "host name people connect to for transient access",
    default: "localhost",
  },
  PORTREEVE_GATEWAY: {
    value: "address",
    description: "address the gateway listens on",
    default: "127.0.0.1",
  },
  PORTREEVE_GATEWAY_PORTS: {
    value: "first-last",
    description: "ports for transient access",
    default: "40000-49999",
  },
  PORTREEVE_MANAGEMENT_ADDRESS: {
    value: "address",
    description: "the source address routers see us come from",
    default: "100.64.0.1",
  },
  PORTREEVE_API_USERNAME: {
    value: "name",
    description: "name of our user on routers",
    default: "portreeve-api",
  },
  PORTREEVE_ALLOW_LOOPBACK_SITES: {
    value: "true|false",
    description: "let a site's address be loopback; for demo and tests",
    default: "false",
  },
  PORTREEVE_EXPOSURE_HOURS: {
    value: "hours",
    description: "how often every site is looked at from outside; 0: only when asked",
    default: "24",
  },
  PORTREEVE_TRUSTED_PROXIES: {
    value: "networks",
    description: "proxies whose X-Forwarded-For is believed, separated by commas",
    default: "none",
  },
  PORTREEVE_LOG_LEVEL: {
    value: "level",
    description: "trace, debug, info, warn, error or silent",
    default: "info",
  },
  PORTREEVE_ROLES: {
    value: "roles",
    description: "all, or some of api, reconciler, gateway separated by commas",
    default: "all",
  },
};

/** PORTREEVE_DATA_DIR -> data-dir */
export function flagOf(setting: string): string {
  return setting
    .replace(/^PORTREEVE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

/** @param names the settings this command takes as flags; all unless given */
export function addSettingFlags(command: Command, names = Object.keys(SETTING_FLAGS)): Command {
  for (const [name, setting] of Object.entries(SETTING_FLAGS)) {
    if (!names.includes(name)) continue;
    const yesOrNo = setting.value === "true|false";
    const value = yesOrNo ? `[${setting.value}]` : `<${setting.value}>`;
    const description = `${setting.description} [${name}; default: ${setting.default}]`;
    const option = new Option(`--${flagOf(name)} ${value}`, description);
    command.addOption(yesOrNo ? option.preset("true") : option);
  }
  return command;
}

/** The environment with the flags given on the command line over it. */
export function environmentWithFlags(
  command: Command,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const merged = { ...environment };
  for (const option of command.options) {
    const name = Object.keys(SETTING_FLAGS).find((setting) => `--${flagOf(setting)}` === option.long);
    const given: unknown = command.getOptionValue(option.attributeName());
    if (name !== undefined && given !== undefined) merged[name] = String(given);
  }
  return merged;
}

import type pg from "pg";

/** How to reach the server: a `postgresql://` URL, which may name several hosts, or pg's own settings. */
export type Connection = string | pg.ClientConfig;

/** One server that may be the primary. */
export interface Host {
  /** For pg. */
  readonly connection: Connection;
  /** `a:5432`, for messages: without user and password. */
  readonly label: string;
}

/** Scheme and login, hosts, and the rest. The last @ ends the login. */
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/s;

/**
 * The servers a connection names, in its order. Several are written as libpq has them:
 * `postgresql://user:password@a:5432,b:5432/name`, or `postgresql://user@/name?host=/run/a,/run/b&port=5432`.
 * pg knows no such form: WHATWG's URL refuses several hosts.
 * @throws TypeError a host of a list is empty, or there are several hosts and another number of ports
 */
export function hostsOf(connection: Connection): readonly Host[] {
  if (typeof connection !== "string") return hostsOfSettings(connection);
  const [, login = "", authority = "", rest = ""] = PARTS.exec(connection) ?? [];
  const [path = "", search = ""] = rest.split(/\?(.*)/s);
  const parameters = new URLSearchParams(search);
  const listed = parameters.get("host");
  if (listed?.includes(",")) return fromParameters(login + authority + path, parameters, listed);
  if (!authority.includes(",")) return [{ connection, label: listed ?? authority }];
  return nonEmpty(authority).map((host) => ({ connection: `${login}${host}${rest}`, label: host }));
}

function hostsOfSettings(settings: pg.ClientConfig): readonly Host[] {
  const { connectionString } = settings;
  if (connectionString === undefined)
    return [{ connection: settings, label: labelOf(settings.host, settings.port) }];
  return hostsOf(connectionString).map(({ connection, label }) => ({
    connection: { ...settings, connectionString: connection as string },
    label,
  }));
}

function fromParameters(before: string, parameters: URLSearchParams, listed: string): Host[] {
  const hosts = nonEmpty(listed);
  const ports = parameters.get("port")?.split(",");
  if (ports && ports.length !== 1 && ports.length !== hosts.length) {
    throw new TypeError(`names ${hosts.length} hosts and ${ports.length} ports`);
  }
  return hosts.map((host, index) => {
    const own = new URLSearchParams(parameters);
    own.set("host", host);
    const port = ports?.[index] ?? ports?.[0];
    if (port !== undefined) own.set("port", port);
    return { connection: `${before}?${own}`, label: labelOf(host, port) };
  });
}

function nonEmpty(list: string): string[] {
  const hosts = list.split(",");
  if (hosts.includes("")) throw new TypeError("names an empty host");
  return hosts;
}

function labelOf(host: string | undefined, port: string | number | undefined): string {
  return `${host ?? "localhost"}${port === undefined ? "" : `:${port}`}`;
}

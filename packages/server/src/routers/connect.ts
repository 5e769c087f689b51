/** Opening connections to routers: where to, from which address, how long to wait. */
import { LoginError, RouterClient, type TlsOptions } from "@portreeve/routeros";
import type { AddressRules, SiteRow } from "../sites/index.ts";
import type { Secret } from "../vault/index.ts";
import type { TrafficMeter } from "./traffic-meter.ts";
import type { ConnectionWatch } from "./watch/connection-watch.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 30_000;

export interface Dialer {
  readonly addresses: AddressRules;
  /** Source address for connections to routers, where this host has it. */
  readonly localAddress: string | undefined;
}

interface LoggedIn {
  readonly client: RouterClient;
  readonly port: number;
}

export interface Connected extends LoggedIn {
  readonly watch: ConnectionWatch;
  readonly meter: TrafficMeter;
}

/**
 * Log in to a site's router at the port it was last seen on, or at the one a delivery was moving it to; at both at
 * once where a move is not settled, because the wrong one may be a service that accepts and never answers.
 * @throws AddressRefusedError, and the errors of `RouterClient.connect`
 */
export async function connect(
  dialer: Dialer,
  site: SiteRow,
  login: { username: string; password: Secret },
  signal: AbortSignal,
): Promise<LoggedIn> {
  const host = await dialer.addresses.resolve(site.address);
  const logIn = async (port: number, given: AbortSignal): Promise<LoggedIn> => {
    const client = await RouterClient.connect({
      host,
      port,
      username: login.username,
      password: login.password.reveal(),
      ...tlsOf(site),
      ...(dialer.localAddress === undefined ? {} : { localAddress: dialer.localAddress }),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      signal: given,
    });
    return { client, port };
  };
  const ports = new Set([site.next_api_port ?? site.api_port, site.api_port]);
  return ports.size === 1 ? logIn(site.api_port, signal) : firstOf([...ports], signal, logIn);
}

/** The first of the ports that lets us in; the attempts at the others are given up. */
async function firstOf(
  ports: readonly number[],
  signal: AbortSignal,
  logIn: (port: number, signal: AbortSignal) => Promise<LoggedIn>,
): Promise<LoggedIn> {
  const attempts = ports.map((port) => {
    const giveUp = new AbortController();
    return { port, giveUp, connected: logIn(port, AbortSignal.any([signal, giveUp.signal])) };
  });
  let winner: LoggedIn | undefined;
  try {
    winner = await Promise.any(attempts.map(({ connected }) => connected));
    return winner;
  } catch (error) {
    const { errors } = error as AggregateError;
    // A refused login says more than a port where nobody is.
    throw errors.find((reason) => reason instanceof LoginError) ?? errors[0];
  } finally {
    for (const { port, giveUp, connected } of attempts) {
      if (port === winner?.port) continue;
      giveUp.abort();
      connected.then(
        ({ client }) => client.reset(),
        () => {},
      );
    }
  }
}

/**
 * A site on api-ssl is pinned to the certificate it showed last; while that is being replaced, to the other one too.
 * An operator's certificate is the only one.
 */
function tlsOf(site: SiteRow): { tls?: TlsOptions } {
  if (site.management_transport === "api") return {};
  const ours = site.keeps_certificate ? [] : site.certificates.map(({ fingerprint }) => fingerprint);
  return { tls: { fingerprint: [...(site.tls_fingerprint ? [site.tls_fingerprint] : []), ...ours] } };
}

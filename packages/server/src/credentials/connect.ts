/** Opening connections to routers: where to, from which address, how long to wait. */
import { ConnectError, RouterClient, type TlsOptions } from "@portreeve/routeros";
import type { AddressRules, SiteRow } from "../sites/index.ts";
import type { Secret } from "../vault/index.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 30_000;

export interface Dialer {
  readonly addresses: AddressRules;
  /** Source address for connections to routers, where this host has it. */
  readonly localAddress: string | undefined;
}

export interface Connected {
  readonly client: RouterClient;
  readonly port: number;
  /** Monotonic, milliseconds. */
  readonly loggedInAt: number;
}

/**
 * Log in to a site's router at the port it was last seen on, or at the one a delivery was moving it to.
 * @throws AddressRefusedError, and the errors of `RouterClient.connect`
 */
export async function connect(
  dialer: Dialer,
  site: SiteRow,
  login: { username: string; password: Secret },
  signal: AbortSignal,
): Promise<Connected> {
  const host = await dialer.addresses.resolve(site.address);
  const ports = site.next_api_port === null ? [site.api_port] : [site.next_api_port, site.api_port];
  let unreachable: unknown;
  for (const port of ports) {
    try {
      const client = await RouterClient.connect({
        host,
        port,
        username: login.username,
        password: login.password.reveal(),
        ...tlsOf(site),
        ...(dialer.localAddress === undefined ? {} : { localAddress: dialer.localAddress }),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        commandTimeoutMs: COMMAND_TIMEOUT_MS,
        signal,
      });
      return { client, port, loggedInAt: performance.now() };
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      unreachable = error;
    }
  }
  throw unreachable;
}

/** A site on api-ssl names the certificate it is pinned to; the request that makes it so requires one. */
function tlsOf({ tls_fingerprint: fingerprint, management_transport: transport }: SiteRow): {
  tls?: TlsOptions;
} {
  return transport === "api-ssl" ? { tls: { fingerprint: fingerprint ?? "" } } : {};
}

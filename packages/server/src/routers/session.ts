import type { RouterClient } from "@portreeve/routeros";
import type { RouterNow } from "../reconcile/index.ts";
import type { ConnectionWatch } from "./watch/connection-watch.ts";

/** An authenticated connection to one router. */
export interface RouterSession extends RouterNow, AsyncDisposable {
  readonly client: RouterClient;
  readonly watch: ConnectionWatch;
}

/** Opens connections to routers; nobody else does. */
export interface RouterAccess {
  /**
   * Log in to a site's router, or take the connection of an earlier run; nothing is changed on the router.
   * @throws ConnectError, LoginError and the other errors of the client; SiteNotReadyError
   */
  open(siteId: string, signal: AbortSignal): Promise<RouterSession>;
  /** Over a new connection each time: only that proves that the management path works. @throws as `open` */
  openForReading(siteId: string, signal: AbortSignal): Promise<RouterSession>;
  /** See `RouterLinks.heartbeat`. */
  heartbeat(siteId: string, signal: AbortSignal): Promise<boolean>;
}

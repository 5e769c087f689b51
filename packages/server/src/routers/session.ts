import type { RouterClient } from "@portreeve/routeros";
import type { RouterNow } from "../reconcile/index.ts";

/** An authenticated connection to one router. */
export interface RouterSession extends RouterNow, AsyncDisposable {
  readonly client: RouterClient;
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
}

import type { ServiceName } from "../options.ts";

/** What a change of `/ip/service` needs of whoever holds the listeners. */
export interface ServicePorts {
  /** Open, move and close listeners until they are as the rows say. */
  apply(): Promise<void>;
  /** Is this service enabled on a port it could not bind? */
  isInvalid(service: ServiceName): boolean;
  /** Rules of the firewall have changed: look at open connections again. */
  reviewConnections(): void;
  /** `/system/reboot` and `/system/shutdown`. */
  restart(how: "reboot" | "shutdown"): void;
}

/** The role `gateway`: the ports people come through. */
import { Notifications } from "../database/index.ts";
import { Gateway } from "../gateway/index.ts";
import { defaultPolicy } from "../policies/index.ts";
import { SITE_CHANNEL, SiteService } from "../sites/index.ts";
import { ACCESS_CHANNEL, Doorkeeper } from "../transient-access/index.ts";
import { openFoundation, problemsOf } from "./foundation.ts";
import type { RoleContext, RunningRole } from "./role.ts";

export async function startRole(context: RoleContext): Promise<RunningRole> {
  const { config, connection, log } = context;
  await using starting = new AsyncDisposableStack();
  const { database, vault, addresses, localAddress } = await openFoundation(context, starting);
  const sites = new SiteService({ vault, addresses, defaultPolicy });
  const gateway = starting.use(new Gateway({ listenAddress: config.gateway.host, log }));
  const doorkeeper = new Doorkeeper({ database, gateway, sites, addresses, localAddress, log });
  doorkeeper.start();
  starting.defer(() => doorkeeper.stop());
  const wake = () => doorkeeper.wake();
  const channels = [SITE_CHANNEL, ACCESS_CHANNEL];
  starting.use(
    await Notifications.open({ connection, channels, onNotification: wake, onReconnect: wake, log }),
  );
  const running = starting.move();
  return {
    problems: async () => problemsOf({ gateway: doorkeeper.problem }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

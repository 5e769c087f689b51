/** The role `gateway`: the ports people come through. */
import { Notifications } from "../database/index.ts";
import { Gateway } from "../gateway/index.ts";
import { SITE_CHANNEL } from "../sites/index.ts";
import { ACCESS_CHANNEL, Doorkeeper } from "../transient-access/index.ts";
import { openFoundation, problemsOf, siteService } from "./foundation.ts";
import type { RoleContext, RunningRole } from "./role.ts";

export async function startRole(context: RoleContext): Promise<RunningRole> {
  const { config, connection, log } = context;
  await using starting = new AsyncDisposableStack();
  const foundation = await openFoundation(context, starting);
  const { database, addresses, localAddress } = foundation;
  const sites = siteService(foundation);
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

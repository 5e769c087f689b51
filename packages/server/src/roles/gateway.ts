/** The role `gateway`: the ports people come through. No database, no vault: a socket to the API and a token. */
import { setTimeout as delay } from "node:timers/promises";
import { startGateway } from "@portreeve/gateway";
import type { RoleContext, RunningRole } from "./role.ts";

const LOOK_EVERY_MS = 10;

export async function startRole({ config, localGateway, log }: RoleContext): Promise<RunningRole> {
  if (!localGateway) throw new TypeError("the gateway has no control plane to dial");
  const { gateway, stateDir } = config;
  const running = await startGateway({
    control: { path: localGateway.socket },
    token: localGateway.token,
    listenAddress: gateway.host,
    ports: gateway.ports,
    stateDir,
    log,
  });
  // It works once the control plane has told it what to open.
  while (running.problem !== undefined) await delay(LOOK_EVERY_MS);
  return {
    problems: async () => (running.problem === undefined ? {} : { gateway: running.problem }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

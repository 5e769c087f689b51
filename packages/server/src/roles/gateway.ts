/** The role `gateway`: the ports people come through. No database, no vault: a socket to the API and a token. */
import { startGateway } from "@portreeve/gateway";
import type { RoleContext, RunningRole } from "./role.ts";

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
  return {
    problems: async () => (running.problem === undefined ? {} : { gateway: running.problem }),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

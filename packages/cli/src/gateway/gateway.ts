import { GatewayConfigError, loadGatewayConfig, StateDirInUseError, startGateway } from "@portreeve/gateway";
import { explain, OperatorError } from "../errors.ts";
import { shutdownOnSignal } from "../signals.ts";

/**
 * Run a gateway until SIGINT, SIGTERM or SIGHUP. It works as soon as the control plane answers.
 * @throws OperatorError one line on what to change
 */
export async function runGateway(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  using shutdown = shutdownOnSignal();
  const starting = loadGatewayConfig(environment).then(async (options) => ({
    options,
    gateway: await startGateway(options),
  }));
  const { options, gateway } = await shutdown.during(starting).catch((error) => {
    const known = error instanceof GatewayConfigError || error instanceof StateDirInUseError;
    throw new OperatorError(known ? error.message : explain(error), { cause: error });
  });
  await using _ = gateway;
  const { first = 1, last = 65_535 } = options.ports ?? {};
  process.stdout.write(`Gateway ${options.listenAddress} ports ${first}-${last}\n`);
  await shutdown.requested;
}

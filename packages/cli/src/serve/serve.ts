import { type Config, createLogger, loadConfig, type RunningServer, startServer } from "@portreeve/server";
import { shutdownOnSignal } from "../signals.ts";
import { checkHttpAddress, explainStart } from "./start-errors.ts";

/**
 * Run the server until SIGINT, SIGTERM or SIGHUP. People's lines go to stdout, the log as JSON lines to stderr.
 * @throws OperatorError one line on what to change; nothing is left running
 */
export async function serve(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  using shutdown = shutdownOnSignal();
  const { config, server } = await explainStart(environment, async () => {
    const config = loadConfig(environment);
    if (config.roles.has("api")) await checkHttpAddress(config.http);
    return { config, server: await startServer(config, createLogger(config.logLevel, process.stderr)) };
  });
  await using _ = server;
  process.stdout.write(describe(config, server));
  await shutdown.requested;
}

function describe(config: Config, server: RunningServer): string {
  const lines =
    server.url === undefined
      ? [`Running ${[...config.roles].join(", ")}`]
      : [`Portal  ${server.url}/`, `API     ${server.url}/v1   documentation: ${server.url}/docs`];
  if (server.bootstrapToken) {
    lines.push(`Token   ${server.bootstrapToken.reveal()}`);
    lines.push("        first administrator, all scopes; shown only this once: keep it now");
  }
  return `${lines.join("\n")}\n`;
}

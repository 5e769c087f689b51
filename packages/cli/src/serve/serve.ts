import { type Config, createLogger, loadConfig, type SupervisedServer, supervise } from "@portreeve/server";
import { probeListen } from "../listen.ts";
import { shutdownOnSignal } from "../signals.ts";
import { explainStart } from "./start-errors.ts";

/**
 * Run the server until SIGINT, SIGTERM or SIGHUP. People's lines go to stdout, the log as JSON lines to stderr.
 * @throws OperatorError one line on what to change; nothing is left running
 */
export async function serve(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  using shutdown = shutdownOnSignal();
  const starting = explainStart(environment, async () => {
    const config = loadConfig(environment);
    // Asked first: a start that fails later has made its bootstrap token already, and would never show it.
    if (config.roles.has("api")) await probeListen(config.http.host, config.http.port);
    const log = createLogger(config.logLevel, process.stderr);
    return { config, server: await supervise(config, log, process.stderr.fd) };
  });
  const { config, server } = await shutdown.during(starting);
  await using _ = server;
  process.stdout.write(describe(config, server));
  await shutdown.requested;
}

function describe(config: Config, server: SupervisedServer): string {
  const lines =
    server.url === undefined
      ? [`Running ${[...config.roles].join(", ")}`]
      : [`Portal  ${server.url}/`, `API     ${server.url}/v1   documentation: ${server.url}/docs`];
  if (server.bootstrapToken) {
    lines.push(`Token   ${server.bootstrapToken}`);
    lines.push("        first administrator, all scopes; shown only this once: keep it now");
  }
  return `${lines.join("\n")}\n`;
}

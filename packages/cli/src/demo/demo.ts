import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "@portreeve/api-schema";
import { type Config, createLogger, loadConfig, supervise } from "@portreeve/server";
import { type Api, connectApi, ProblemError } from "../client/api.ts";
import { OperatorError } from "../errors.ts";
import { probeListen } from "../listen.ts";
import { explainStart } from "../serve/start-errors.ts";
import { shutdownOnSignal } from "../signals.ts";
import { adoptRouters } from "./adopt.ts";
import { RouterRack } from "./routers.ts";
import { screen } from "./screen.ts";
import { demoSettings, demoToken } from "./settings.ts";

const LOG = "demo.log";
const NO_DEMO =
  "PORTREEVE_DATA_DIR: its database belongs to a server that was not begun as a demo; choose another directory";

/**
 * Run the server with its emulated routers until a signal. The first start makes the routers and adopts them; later
 * ones find everything as it was.
 * @throws OperatorError one line on what to change; nothing is left running
 */
export async function demo(given: Readonly<Record<string, string | undefined>>): Promise<void> {
  using shutdown = shutdownOnSignal();
  process.stderr.write("Starting the server and three emulated routers …\n");
  const { environment, note } = await demoSettings(given);
  const running = await shutdown.during(explainStart(environment, () => start(environment)));
  await using _ = running.stop;
  process.stdout.write(screen({ ...running, note }));
  await shutdown.requested;
}

async function start(environment: Readonly<Record<string, string | undefined>>) {
  await using starting = new AsyncDisposableStack();
  const config = loadConfig({
    ...environment,
    PORTREEVE_LOG_LEVEL: environment.PORTREEVE_LOG_LEVEL ?? "info",
  });
  // A demo's log is there before its database.
  const isForeign = existsSync(join(config.dataDir, "postgres")) && !existsSync(join(config.dataDir, LOG));
  if (isForeign) throw new OperatorError(NO_DEMO);
  const port = await probeListen(config.http.host, config.http.port);
  const token = config.bootstrapToken ?? (await demoToken(config.dataDir));
  const logFile = starting.use(await open(join(config.dataDir, LOG), "a"));
  const log = createLogger(config.logLevel, logFile.createWriteStream({ autoClose: false }));
  const server = starting.use(
    await supervise({ ...config, http: { ...config.http, port }, bootstrapToken: token }, log, logFile.fd),
  );
  const rack = starting.use(await RouterRack.open(join(config.dataDir, "emulators")));
  const api = localUrl(config, port);
  const sites = await adopt(connectApi(api, token), rack);
  return {
    portal: server.url ?? api,
    api,
    token,
    tokenIsKept: config.bootstrapToken === undefined,
    dataDir: environment.PORTREEVE_DATA_DIR || "./.portreeve",
    sites,
    stop: starting.move(),
  };
}

async function adopt(api: Api, rack: RouterRack): Promise<Site[]> {
  try {
    return await adoptRouters(api, rack);
  } catch (error) {
    if (!(error instanceof ProblemError && error.status === 401)) throw error;
    throw new OperatorError(NO_DEMO);
  }
}

/** Where this machine reaches the API, whatever address it listens on. */
function localUrl({ http }: Config, port: number): string {
  const everywhere = http.host === "" || http.host === "0.0.0.0" || http.host === "::";
  const host = everywhere ? "127.0.0.1" : http.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

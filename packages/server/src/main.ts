/** The server in this process: its database and its roles, started together and stopped in the opposite order. */
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { startEmbedded } from "./database/index.ts";
import { prepareLocalGateway } from "./roles/local-gateway.ts";
import type { Problems, RunningRole, StartRole } from "./roles/role.ts";
import type { Role } from "./settings.ts";

export interface RunningServer extends AsyncDisposable {
  /** Where API and portal answer; undefined when the role api is not among ours. */
  readonly url: string | undefined;
  /** The first administrator's token, when this start made it: to be printed once. */
  readonly bootstrapToken: string | undefined;
}

/** The order in which roles start: whoever makes the first customer and the gateways comes first. */
const ROLES: Readonly<Record<Role, () => Promise<{ startRole: StartRole }>>> = {
  api: () => import("./roles/api.ts"),
  reconciler: () => import("./roles/reconciler.ts"),
  gateway: () => import("./roles/gateway.ts"),
};

/**
 * Start the roles named in the configuration in this process, and return once they work. `supervise` gives each a
 * process of its own.
 * @throws what keeps them from working: the port is taken, the database can't be used, a setting is wrong; nothing
 *   is left running then
 */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  await using starting = new AsyncDisposableStack();
  const embedded =
    config.databaseUrl === undefined
      ? starting.use(await startEmbedded({ dataDir: config.dataDir, log })).connection
      : undefined;
  const localGateway = config.roles.has("gateway")
    ? await prepareLocalGateway(config.stateDir, starting)
    : undefined;
  const started = new Map<Role, RunningRole>();
  for (const [role, load] of Object.entries(ROLES) as [Role, (typeof ROLES)[Role]][]) {
    if (!config.roles.has(role)) continue;
    const otherProblems = () => problemsBeside(role, started);
    const { startRole } = await load();
    started.set(role, starting.use(await startRole({ config, embedded, localGateway, log, otherProblems })));
  }
  const api = started.get("api");
  const running = starting.move();
  return {
    url: api?.url,
    bootstrapToken: api?.bootstrapToken,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function problemsBeside(role: Role, started: ReadonlyMap<Role, RunningRole>): Promise<Problems> {
  const others = [...started].filter(([other]) => other !== role).map(([, running]) => running.problems());
  return Object.assign({}, ...(await Promise.all(others)));
}

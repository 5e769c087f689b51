/**
 * `portreeve serve`: the embedded database where no other is named, and a process for each role. The supervisor itself
 * holds no secret of a customer, carries no byte and talks to no router, so nothing of that can stop it.
 *
 * What one role suffers stays there: rows of a hostile router cost the reconciler's process time, a slow database the
 * API's; the gateway ends every access by its own clock meanwhile.
 */
import { mkdir } from "node:fs/promises";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { type Connection, lockDirectory, startEmbedded } from "../database/index.ts";
import { prepareLocalGateway } from "../roles/local-gateway.ts";
import type { Problems } from "../roles/role.ts";
import type { Role } from "../settings.ts";
import { type RoleHealth, serveHealth } from "./health.ts";
import { endLeftovers, markOf } from "./leftovers.ts";
import type { Settings } from "./messages.ts";
import { type Ready, RoleProcess } from "./role-process.ts";

/** The order in which roles stop: nobody asks for more, nothing is delivered any more, and last no access is open. */
const STOP_ORDER: readonly Role[] = ["api", "reconciler", "gateway"];

export interface SupervisedServer extends AsyncDisposable, Ready {
  /** The process of each role. */
  pids(): Readonly<Partial<Record<Role, number>>>;
}

/**
 * Start the roles of the configuration, each in its process, and return once all of them work.
 * @param logFd file descriptor their logs are written to, as JSON lines
 * @throws what keeps one of them from working; nothing is left running then
 */
export async function supervise(config: Config, log: Logger, logFd: number): Promise<SupervisedServer> {
  await using starting = new AsyncDisposableStack();
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  starting.use(await lockDirectory(config.dataDir, config.dataDir));
  const mark = await markOf(config.dataDir);
  const left = await endLeftovers(mark);
  if (left > 0) log.warn({ processes: left }, "ended processes that an earlier start had left running");
  const roles = new Roles(config, mark, log, logFd);
  // Whatever fails, no role outlives the database.
  const embedded = await databaseOf(config, log, starting).catch(async (error) => {
    await roles.stop();
    throw error;
  });
  starting.defer(() => roles.stop());
  if (config.metrics) starting.use(await serveHealth(config.metrics, () => roles.health()));
  const localGateway = config.roles.has("gateway")
    ? await prepareLocalGateway(config.stateDir, starting)
    : undefined;
  const ready = await roles.start({ config, embedded, localGateway });
  const running = starting.move();
  return { ...ready, pids: () => roles.pids(), [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function databaseOf(
  config: Config,
  log: Logger,
  starting: AsyncDisposableStack,
): Promise<Connection | undefined> {
  if (config.databaseUrl !== undefined) return undefined;
  return starting.use(await startEmbedded({ dataDir: config.dataDir, log })).connection;
}

class Roles {
  readonly #processes = new Map<Role, RoleProcess>();
  readonly #problems = new Map<Role, Problems>();

  constructor(config: Config, mark: string, log: Logger, logFd: number) {
    for (const role of config.roles) {
      const onProblems = (problems: Problems) => this.#changed(role, problems);
      this.#problems.set(role, { [role]: "has not started yet" });
      this.#processes.set(role, new RoleProcess({ role, mark, logFd, log, onProblems }));
    }
  }

  /** @throws the first failure */
  async start(settings: Settings): Promise<Ready> {
    const started = [...this.#processes.values()].map((one) => one.start(settings));
    const ready = await Promise.all(started);
    for (const role of this.#processes.keys()) this.#changed(role, {});
    return {
      url: ready.find(({ url }) => url !== undefined)?.url,
      bootstrapToken: ready.find(({ bootstrapToken }) => bootstrapToken !== undefined)?.bootstrapToken,
    };
  }

  async stop(): Promise<void> {
    for (const one of this.#processes.values()) one.retire();
    for (const role of STOP_ORDER) await this.#processes.get(role)?.stop();
  }

  health(): RoleHealth[] {
    return [...this.#processes].map(([role, { restarts }]) => ({
      role,
      restarts,
      problems: this.#problems.get(role) ?? {},
    }));
  }

  pids() {
    return Object.fromEntries([...this.#processes].map(([role, { pid }]) => [role, pid]));
  }

  /** `/readyz` of the API speaks for all roles of this host. */
  #changed(role: Role, problems: Problems): void {
    this.#problems.set(role, problems);
    for (const [other, one] of this.#processes) {
      const others = [...this.#problems].filter(([from]) => from !== other).map(([, found]) => found);
      one.tell(Object.assign({}, ...others));
    }
  }
}

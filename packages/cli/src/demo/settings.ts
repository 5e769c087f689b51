/** What the demo sets up by itself, and what it leaves to the operator. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listenProblem, probeListen } from "../listen.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8080;

/** The routers are emulated on this machine's loopback, so everything that faces them is too. */
const FIXED = {
  PORTREEVE_GATEWAY: "127.0.0.1",
  PORTREEVE_ENTRY_POINT: "localhost",
  PORTREEVE_MANAGEMENT_ADDRESS: "127.0.0.1",
  PORTREEVE_ALLOW_LOOPBACK_SITES: "true",
  PORTREEVE_ROLES: "all",
};

/** Whoever removes the demo's directory removes all of it. */
function stateIn(environment: Environment): Environment {
  const dataDir = environment.PORTREEVE_DATA_DIR || "./.portreeve";
  return { PORTREEVE_STATE_DIR: environment.PORTREEVE_STATE_DIR || join(dataDir, "state") };
}

export interface DemoSettings {
  /** For the server. */
  readonly environment: Environment;
  /** What the operator should know: that the usual port was taken. */
  readonly note: string | undefined;
}

/**
 * Settings for the server. Without PORTREEVE_HTTP it is port 8080, or a free one when another program has that.
 */
export async function demoSettings(environment: Environment): Promise<DemoSettings> {
  if (environment.PORTREEVE_HTTP) {
    return { environment: { ...environment, ...stateIn(environment), ...FIXED }, note: undefined };
  }
  const port = await defaultPort();
  const note =
    port === DEFAULT_PORT
      ? undefined
      : `port ${DEFAULT_PORT} is taken by another program; PORTREEVE_HTTP chooses one`;
  const http = { PORTREEVE_HTTP: `${DEFAULT_HOST}:${port}` };
  return { environment: { ...environment, ...stateIn(environment), ...FIXED, ...http }, note };
}

async function defaultPort(): Promise<number> {
  try {
    return await probeListen(DEFAULT_HOST, DEFAULT_PORT);
  } catch (error) {
    if (listenProblem(error) === undefined) throw error;
    return await probeListen(DEFAULT_HOST, 0);
  }
}

/**
 * The administrator's token of the demo, kept in the data directory so that every start can print it. A real server
 * never keeps one; here it saves people who try Portreeve from looking for it.
 */
export async function demoToken(dataDir: string): Promise<string> {
  const path = join(dataDir, "demo-token");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const token = `demo_${randomBytes(32).toString("base64url")}`;
    await writeFile(path, `${token}\n`, { mode: 0o600, flag: "wx" });
    return token;
  }
}

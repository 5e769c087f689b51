/** The demo's routers: what they are, and the emulators that play them. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { OperatorError } from "../errors.ts";
import { listenProblem, probeListen } from "../listen.ts";

export interface DemoRouter {
  readonly identity: string;
  readonly address: string;
  readonly version: string;
  readonly model: string;
  readonly serialNumber: string;
}

/** One of each generation: the last of RouterOS 6, a 7 of two years ago, and a new one with its renamed columns. */
export const DEMO_ROUTERS: readonly DemoRouter[] = [
  {
    identity: "tower-ridge",
    address: "127.77.0.1",
    version: "6.49",
    model: "RB4011iGS+",
    serialNumber: "B8E40C2F71D3",
  },
  {
    identity: "core-harbour",
    address: "127.77.0.2",
    version: "7.16",
    model: "CCR2004-1G-12S+2XS",
    serialNumber: "HD208X5QK1N",
  },
  {
    identity: "cpe-mill-lane",
    address: "127.77.0.3",
    version: "7.24",
    model: "C52iG-5HaxD2HaxD",
    serialNumber: "HFG09RT2M4C",
  },
];

/** RouterOS's ports, those below 1024 moved up so that an ordinary user may open them. */
const PORTS = {
  api: 8728,
  "api-ssl": 8729,
  winbox: 8291,
  ssh: 2222,
  telnet: 2323,
  ftp: 2121,
  www: 8080,
  "www-ssl": 8443,
};

/** A new router's login, used once: to adopt it. */
export interface FirstLogin {
  readonly username: string;
  readonly password: string;
}

export interface RunningRouter {
  readonly router: DemoRouter;
  readonly emulator: Emulator;
  /** Undefined for a router that came back from its state file: nobody knows its login any more. */
  readonly firstLogin: FirstLogin | undefined;
}

export class RouterRack implements AsyncDisposable {
  readonly #directory: string;
  readonly #running = new AsyncDisposableStack();

  /** @param directory where the routers' state is kept, one file per router */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Start a router.
   * @param anew forget its state file: begin with a router fresh from the factory
   * @throws OperatorError its address is taken
   */
  async start(router: DemoRouter, { anew }: { anew: boolean }): Promise<RunningRouter> {
    await assertFree(router.address);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const stateFile = join(this.#directory, `${router.identity}.json`);
    if (anew) await rm(stateFile, { force: true });
    const known = existsSync(stateFile);
    const firstLogin = { username: "admin", password: randomBytes(18).toString("base64url") };
    const emulator = this.#running.use(
      await startEmulator({ ...router, ...firstLogin, ports: PORTS, stateFile }),
    );
    return { router, emulator, firstLogin: known ? undefined : firstLogin };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running.disposeAsync();
  }
}

async function assertFree(address: string): Promise<void> {
  try {
    await probeListen(address, PORTS.api);
  } catch (error) {
    const problem = listenProblem(error);
    if (problem === undefined) throw error;
    throw new OperatorError(
      `${address}:${PORTS.api}, where the demo runs an emulated router, ${problem}; is another demo or emulator running?`,
    );
  }
}

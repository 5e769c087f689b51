/** The demo's routers: what they are, and the emulators that play them. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Emulator, startEmulator } from "@portreeve/emulator";
import { OperatorError } from "../errors.ts";
import { listenProblem, probeListen } from "../listen.ts";

/** One of each generation: the last of RouterOS 6, a 7 of two years ago, and a new one with its renamed columns. */
const ROUTERS = [
  { identity: "tower-ridge", version: "6.49", model: "RB4011iGS+", serialNumber: "B8E40C2F71D3" },
  { identity: "core-harbour", version: "7.16", model: "CCR2004-1G-12S+2XS", serialNumber: "HD208X5QK1N" },
  { identity: "cpe-mill-lane", version: "7.24", model: "C52iG-5HaxD2HaxD", serialNumber: "HFG09RT2M4C" },
] as const;

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

/** The routers have 127.77.0.1 to .3; a second demo on the same machine 127.77.1.1 to .3, and so on. */
const NETWORKS = Array.from({ length: 256 }, (_, number) => `127.77.${number}`);

export interface DemoRouter {
  readonly identity: string;
  readonly address: string;
  readonly version: string;
  readonly model: string;
  readonly serialNumber: string;
}

/** A new router's login, used once: to adopt it. */
export interface FirstLogin {
  readonly username: string;
  readonly password: string;
}

/** The emulated routers, each with its state in a file called after its address. */
export class RouterRack implements AsyncDisposable {
  readonly routers: readonly DemoRouter[];
  readonly #directory: string;
  readonly #running = new AsyncDisposableStack();

  private constructor(directory: string, network: string) {
    this.#directory = directory;
    this.routers = ROUTERS.map((router, at) => ({ ...router, address: `${network}.${at + 1}` }));
  }

  /**
   * The rack as it was left, or a new one on addresses nobody listens on. Nothing is started yet.
   * @throws OperatorError its addresses are taken
   */
  static async open(directory: string): Promise<RouterRack> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const [known] = (await readdir(directory)).filter((name) => /^127\.77\.\d+\.\d+\.json$/.test(name));
    const left = known?.split(".").slice(0, 3).join(".");
    for (const network of left === undefined ? NETWORKS : [left]) {
      const rack = new RouterRack(directory, network);
      if (await rack.#isFree()) return rack;
    }
    throw new OperatorError(
      `${left ?? "127.77.x"}.1 port ${PORTS.api}, where an emulated router goes, is already in use; is another emulator running?`,
    );
  }

  /** Has this router been here before? */
  isKnown(router: DemoRouter): boolean {
    return existsSync(this.#stateFile(router));
  }

  /** Switch a router on, as it was. */
  async start(router: DemoRouter): Promise<void> {
    await this.#start(router, {});
  }

  /** Switch a router on as it comes from the factory, whatever it was. */
  async startAnew(router: DemoRouter): Promise<FirstLogin> {
    await rm(this.#stateFile(router), { force: true });
    const login = { username: "admin", password: randomBytes(18).toString("base64url") };
    await this.#start(router, login);
    return login;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#running.disposeAsync();
  }

  async #start(router: DemoRouter, login: Partial<FirstLogin>): Promise<Emulator> {
    const options = { ...router, ...login, ports: PORTS, stateFile: this.#stateFile(router) };
    return this.#running.use(await startEmulator(options));
  }

  #stateFile({ address }: DemoRouter): string {
    return join(this.#directory, `${address}.json`);
  }

  async #isFree(): Promise<boolean> {
    for (const { address } of this.routers) {
      try {
        await probeListen(address, PORTS.api);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
        throw new OperatorError(
          `${address}, where an emulated router goes, ${listenProblem(error) ?? error}`,
        );
      }
    }
    return true;
  }
}

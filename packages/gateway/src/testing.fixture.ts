/** A control plane that says what a test has it say, and a gateway that listens to it. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@portreeve/testing";
import { type WebSocket, WebSocketServer } from "ws";
import { silentLog, TestClient } from "./byte-path/test-sockets.ts";
import type { Clock } from "./clock.ts";
import {
  MAX_FRAME_BYTES,
  type OpenMessage,
  parseToControl,
  type ToControl,
  type ToGateway,
} from "./messages.ts";
import { type GatewayStartOptions, type RunningGateway, startGateway } from "./start.ts";

export const TOKEN = "gateway-token-of-the-tests";

/** Both clocks of a gateway, moved by hand on top of the real ones. */
class ShiftedClock implements Clock {
  monotonicShiftMs = 0;
  wallShiftMs = 0;
  monotonicMs = () => performance.now() + this.monotonicShiftMs;
  wallMs = () => Date.now() + this.wallShiftMs;
}

export class ScriptedControl implements AsyncDisposable {
  readonly path: string;
  readonly heard: ToControl[] = [];
  /** Tokens that came with a request to connect. */
  readonly tokens: (string | undefined)[] = [];
  /** Whether `renew` is answered. */
  leases = true;
  /** The answer to `hello`. */
  welcome: Extract<ToGateway, { type: "welcome" }> = {
    type: "welcome",
    fence: 1,
    system: "test/1",
    sequence: 0,
    restored: false,
  };
  /** The database's clock. */
  databaseTimeMs = () => Date.now();
  readonly #directory: string;
  readonly #server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  #socket: WebSocket | undefined;
  #sequence = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, "control.sock");
    this.#server.on("upgrade", (request, socket, head) => {
      this.tokens.push(request.headers.authorization?.replace("Bearer ", ""));
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted));
    });
  }

  static async start(): Promise<ScriptedControl> {
    const control = new ScriptedControl(await mkdtemp(join(tmpdir(), "portreeve-control-")));
    await control.listen();
    return control;
  }

  async listen(): Promise<void> {
    await rm(this.path, { force: true });
    this.#server.listen({ path: this.path });
    await once(this.#server, "listening");
  }

  /** Be away, as a control plane that was killed. */
  async goAway(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.clients) socket.terminate();
    await closed;
  }

  say(message: ToGateway): void {
    this.#socket?.send(JSON.stringify(message));
  }

  sayText(text: string): void {
    this.#socket?.send(text);
  }

  /** A new grant for everybody on this host, for ten minutes. */
  grant(target: { host: string; port: number }, differs: Partial<OpenMessage> = {}): OpenMessage {
    const endsInMs = differs.endsInMs ?? 600_000;
    this.#sequence++;
    return {
      type: "open",
      grant: randomUUID(),
      fence: 1,
      sequence: this.#sequence,
      port: 0,
      target: { host: target.host, port: target.port },
      sources: ["127.0.0.0/8"],
      endsInMs,
      endsAtMs: this.databaseTimeMs() + endsInMs,
      ready: true,
      ...differs,
    };
  }

  /** Wait for a message; one that was heard before counts. */
  async hear<Type extends ToControl["type"]>(
    type: Type,
    fits: (message: Extract<ToControl, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<ToControl, { type: Type }>> {
    const find = () =>
      this.heard.find(
        (message): message is Extract<ToControl, { type: Type }> =>
          message.type === type && fits(message as Extract<ToControl, { type: Type }>),
      );
    await waitFor(() => find() !== undefined);
    return find() as Extract<ToControl, { type: Type }>;
  }

  reports(grant: string) {
    return this.heard.filter((message) => message.type === "report" && message.grant === grant);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.goAway();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #accept(socket: WebSocket): void {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = parseToControl(data.toString());
      this.heard.push(message);
      if (message.type === "hello") this.say(this.welcome);
      if (message.type === "renew" && this.leases)
        this.say({ type: "lease", askedAtMs: message.askedAtMs, databaseTimeMs: this.databaseTimeMs() });
    });
  }
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly stateDir: string;
  readonly clock: ShiftedClock;
  /** End it as kill -9 would: no word to the control plane is waited for. */
  restart(): Promise<void>;
  connect(message: OpenMessage): TestClient;
  isOpen(message: OpenMessage): boolean;
}

export async function startTestGateway(
  control: ScriptedControl,
  differs: Partial<GatewayStartOptions> = {},
): Promise<TestGateway> {
  const directory = differs.stateDir ?? (await mkdtemp(join(tmpdir(), "portreeve-state-")));
  const clock = new ShiftedClock();
  const options: GatewayStartOptions = {
    control: { path: control.path },
    token: TOKEN,
    listenAddress: "127.0.0.1",
    stateDir: directory,
    log: silentLog,
    clock,
    ...differs,
  };
  let gateway = await startGateway(options);
  return {
    get gateway() {
      return gateway;
    },
    stateDir: options.stateDir,
    clock,
    async restart() {
      await gateway[Symbol.asyncDispose]();
      gateway = await startGateway(options);
    },
    connect: ({ port }) => new TestClient({ port }).reading(),
    isOpen: ({ grant }) => gateway.listeners().some(({ id }) => id === grant),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createNetServer().listen({ port: 0, host: "127.0.0.1" });
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

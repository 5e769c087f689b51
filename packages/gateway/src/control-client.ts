/** The gateway's end of the control channel: dialled again whenever it is lost, until closed. */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import type { GatewayLog } from "./byte-path/types.ts";
import { type ControlAddress, connectControl } from "./control-address.ts";
import { MAX_FRAME_BYTES, PROTOCOL, parseToGateway, type ToControl, type ToGateway } from "./messages.ts";

/** Waiting times between attempts, doubled each time, then shortened by up to half at random: many gateways that lose
 *  the same control plane must not all come back at once. Milliseconds. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** On the same host there is one gateway, and both ends start together: a start need not wait out a long pause. */
const LAST_LOCAL_RETRY_MS = 200;
/** A ping is sent this often; a link on which one was not answered until the next is given up. Milliseconds. */
const HEARTBEAT_MS = 5_000;
/** For the answer to our request to upgrade, milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

export const CONTROL_PATH = "/v1/gateways/control";

export interface ControlClientOptions {
  readonly address: ControlAddress;
  readonly token: string;
  readonly log: GatewayLog;
  /** Each time the channel stands: say hello. */
  onOpen(): void;
  onMessage(message: ToGateway): void;
  heartbeatMs?: number | undefined;
}

export class ControlClient implements AsyncDisposable {
  readonly #options: ControlClientOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #socket: WebSocket | undefined;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** What is said while the channel is down is lost: whoever says it says it again after the next `onOpen`. */
  send(message: ToControl): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Begin anew: the other side has to tell everything again. */
  reconnect(): void {
    this.#socket?.terminate();
  }

  /** Messages sent before have left, unless the other side takes none. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#socket?.close(1000);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { address, log } = this.#options;
    const lastRetryMs = "path" in address ? LAST_LOCAL_RETRY_MS : LAST_RETRY_MS;
    let wait = FIRST_RETRY_MS;
    let hasStood = false;
    while (!this.#stop.signal.aborted) {
      try {
        const reason = await this.#session(() => {
          wait = FIRST_RETRY_MS;
          hasStood = true;
        });
        if (!this.#stop.signal.aborted) log.warn({ reason }, "the control channel was lost; dialling again");
      } catch (err) {
        // On the same host it is expected while both start.
        const level = "path" in address && !hasStood ? "debug" : "warn";
        log[level]({ err, wait }, "the control plane can't be reached; trying again");
      }
      const jittered = wait * (1 - Math.random() / 2);
      await delay(jittered, undefined, { signal: this.#stop.signal }).catch(() => {});
      wait = Math.min(wait * 2, lastRetryMs);
    }
  }

  /** One connection, from dialling to its end. @returns why it ended @throws it never stood */
  async #session(onStanding: () => void): Promise<string> {
    const { address, token, onOpen } = this.#options;
    const connection = await connectControl(address);
    // The connection stands and is encrypted where it has to be; the URL only names the path.
    const socket = new WebSocket(`ws://control${CONTROL_PATH}`, PROTOCOL, {
      createConnection: () => connection,
      headers: { authorization: `Bearer ${token}` },
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    const { promise: ended, resolve, reject } = Promise.withResolvers<string>();
    socket.on("error", reject);
    socket.on("close", (code, reason) => resolve(`${code} ${reason.toString()}`.trim()));
    socket.on("open", () => {
      onStanding();
      onOpen();
    });
    socket.on("message", (data, isBinary) => this.#receive(socket, isBinary ? undefined : data.toString()));
    this.#socket = socket;
    const heartbeat = this.#watch(socket);
    if (this.#stop.signal.aborted) socket.terminate();
    try {
      return await ended;
    } finally {
      clearInterval(heartbeat);
      this.#socket = undefined;
      socket.terminate();
    }
  }

  #receive(socket: WebSocket, frame: string | undefined): void {
    const { log, onMessage } = this.#options;
    try {
      if (frame === undefined) throw new TypeError("a binary frame");
      onMessage(parseToGateway(frame));
    } catch (err) {
      log.warn({ err }, "the control plane sent what is no message");
      socket.close(1008, "not a message of this protocol");
    }
  }

  #watch(socket: WebSocket): NodeJS.Timeout {
    let answered = true;
    socket.on("pong", () => {
      answered = true;
    });
    return setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
    }, this.#options.heartbeatMs ?? HEARTBEAT_MS);
  }
}

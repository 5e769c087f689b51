import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Logger } from "pino";
import { type Answer, type InternalKeys, MAX_QUESTION_BYTES, TLS, toPlainProblem } from "./wire.ts";

/** A question whose asker is gone is given up; one that has not arrived by then is dropped, milliseconds. */
const ARRIVAL_MS = 10_000;

export interface InternalListenerOptions {
  /** Loopback, or an address of this host that the other hosts of the installation reach. */
  readonly host: string;
  readonly keys: InternalKeys;
  /** By the path they are asked at, without its slash. */
  readonly answers: Readonly<Record<string, Answer>>;
  readonly log: Logger;
}

/** Answers what other processes of the installation ask of this one. */
export class InternalListener implements AsyncDisposable {
  readonly #options: InternalListenerOptions;
  readonly #server: Server;

  private constructor(options: InternalListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      { ...TLS, pskCallback: (_socket, version) => options.keys.keyOf(Number(version)) ?? null },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.requestTimeout = ARRIVAL_MS;
  }

  /** @throws the system's error when the address can't be listened on */
  static async open(options: InternalListenerOptions): Promise<InternalListener> {
    const listener = new InternalListener(options);
    listener.#server.listen({ host: options.host, port: 0 });
    await once(listener.#server, "listening");
    return listener;
  }

  /** `host:port`, as others ask at. */
  get address(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const respond = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body) ?? "null");
    };
    try {
      const answer = this.#options.answers[request.url?.slice(1) ?? ""];
      if (!answer) return respond(404, {});
      respond(200, await answer((await inputOf(request)) as never, gone.signal));
    } catch (error) {
      if (gone.signal.aborted) return;
      const problem = toPlainProblem(error);
      if (!problem)
        this.#options.log.error({ err: error, path: request.url }, "could not answer another process");
      respond(problem ? 422 : 500, problem ?? {});
    }
  }
}

async function inputOf(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_QUESTION_BYTES)
    throw new Error("the question is too large");
  return JSON.parse(await text(request));
}

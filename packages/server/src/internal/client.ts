import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { fromPlainProblem, type InternalKeys, TLS } from "./wire.ts";

/** The other process could not be reached, or ended before it answered. */
export class ProcessUnreachableError extends Error {
  override readonly name = "ProcessUnreachableError";
}

/** Asks other processes of the installation. Connections are kept between questions. */
export class InternalClient implements Disposable {
  readonly #agent: Agent;

  constructor({ newest, keyOf }: InternalKeys) {
    const psk = keyOf(newest) as Buffer;
    this.#agent = new Agent({
      ...TLS,
      keepAlive: true,
      pskCallback: () => ({ psk, identity: String(newest) }),
      // The key is the proof; there is no certificate whose name could be compared.
      checkServerIdentity: () => undefined,
    });
  }

  /**
   * @param address `host:port` of the other process's listener
   * @returns what it answers, as JSON says it
   * @throws DomainError the other process's own; ProcessUnreachableError; the signal's reason
   */
  async ask(address: string, question: string, input: unknown, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const response = await this.#send(address, question, JSON.stringify(input), signal);
    const body = JSON.parse(
      (await text(response).catch((error) => unreachable(address, error, signal))) || "null",
    );
    if (response.statusCode === 200) return body;
    if (response.statusCode === 422) throw fromPlainProblem(body);
    throw new Error(`the process at ${address} could not answer "${question}" (${response.statusCode})`);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #send(address: string, path: string, body: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { hostname, port } = new URL(`https://${address}`);
    const sent = request({
      agent: this.#agent,
      host: hostname.replace(/^\[|\]$/g, ""),
      port,
      method: "POST",
      path: `/${path}`,
      headers: { "content-length": Buffer.byteLength(body) },
      signal,
    });
    sent.end(body);
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      return response;
    } catch (error) {
      // A kept connection that the other side closed at this moment: nothing was asked yet.
      if (sent.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET" && !signal.aborted)
        return this.#send(address, path, body, signal);
      return unreachable(address, error, signal);
    }
  }
}

function unreachable(address: string, cause: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  throw new ProcessUnreachableError(`the process at ${address} does not answer`, { cause });
}

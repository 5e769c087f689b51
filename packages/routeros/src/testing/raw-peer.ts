/**
 * A scripted router for tests: a TCP (or TLS) server whose every byte the test chooses. It encodes and decodes
 * words by itself, plainly and slowly, so that our codec is never checked against itself.
 */

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

/** The far end of one connection. */
export class RawLine {
  readonly socket: Socket;
  /** How many chunks came in: writes of the client, on loopback. */
  chunks = 0;
  #bytes = Buffer.alloc(0);
  readonly #iterator: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {}); // a client that closes is part of the tests
    this.#iterator = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** The next sentence of the client; throws when the connection ends before it. */
  async read(): Promise<string[]> {
    const words: string[] = [];
    for (;;) {
      const length = await this.#length();
      if (length === 0) return words;
      words.push((await this.#take(length)).toString("utf8"));
    }
  }

  /** The next command without its tag, and the tag. */
  async command(): Promise<{ words: string[]; tag: string }> {
    const words = await this.read();
    const label = words.find((word) => word.startsWith(".tag="));
    return { words: words.filter((word) => word !== label), tag: label?.slice(5) ?? "" };
  }

  /** Expect the login and let the client in. */
  async admit(): Promise<void> {
    const words = await this.read();
    if (words[0] !== "/login") throw new Error(`expected a login, got ${words.join(" ")}`);
    this.send("!done");
  }

  send(...words: readonly (string | Uint8Array)[]): void {
    this.socket.write(rawSentence(words));
  }

  /** Resolves when the client has closed the connection; throws when it sends another sentence instead. */
  async end(): Promise<void> {
    const words = await this.read().catch(() => undefined);
    if (words) throw new Error(`expected the end, got ${words.join(" ")}`);
  }

  async #length(): Promise<number> {
    const first = (await this.#take(1))[0] ?? 0;
    if (first < 0x80) return first;
    const extra = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const mask = [0, 0x3f, 0x1f, 0x0f, 0][extra] ?? 0;
    const rest = [...(await this.#take(extra))];
    return rest.reduce((length, byte) => length * 256 + byte, first & mask);
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      const { value, done } = await this.#iterator.next();
      if (done) throw new Error("the client ended the connection");
      this.chunks += 1;
      this.#bytes = Buffer.concat([this.#bytes, value]);
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }
}

/** A sentence in bytes, by the table of the manual. */
export function rawSentence(words: readonly (string | Uint8Array)[]): Buffer {
  const parts = words.map((word) => {
    const bytes = Buffer.from(word);
    const length = bytes.length;
    if (length < 0x80) return Buffer.concat([Buffer.from([length]), bytes]);
    if (length < 0x4000) return Buffer.concat([Buffer.from([(length >> 8) | 0x80, length & 0xff]), bytes]);
    const prefix = [(length >> 16) | 0xc0, (length >> 8) & 0xff, length & 0xff];
    if (length < 0x200000) return Buffer.concat([Buffer.from(prefix), bytes]);
    throw new Error("no test needs a longer word");
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** Listens on loopback and plays one script per connection. */
export class RawPeer implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #scripts: Promise<void>[];

  private constructor(server: Server, sockets: Set<Socket>, scripts: Promise<void>[]) {
    this.#server = server;
    this.#sockets = sockets;
    this.#scripts = scripts;
    this.port = (server.address() as AddressInfo).port;
  }

  static async listen(script: (line: RawLine) => Promise<void>, tls?: TlsOptions): Promise<RawPeer> {
    const sockets = new Set<Socket>();
    const scripts: Promise<void>[] = [];
    const serve = (socket: Socket): void => {
      sockets.add(socket);
      const played = script(new RawLine(socket));
      played.catch(() => socket.destroy()); // the client sees the end; `finished` tells the test why
      scripts.push(played);
    };
    const server = tls
      ? createTlsServer({ ...tls, noDelay: true }, serve)
      : createServer({ noDelay: true }, serve);
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawPeer(server, sockets, scripts);
  }

  /** Resolves when every script came to its end; rejects with what went wrong in one. */
  async finished(): Promise<void> {
    await Promise.all(this.#scripts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

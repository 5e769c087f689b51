import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { encodeSentence, SentenceDecoder } from "@portreeve/routeros";

const ANONYMOUS: ConnectionOptions = {
  ciphers: "ADH-AES256-GCM-SHA384:@SECLEVEL=0",
  maxVersion: "TLSv1.2",
  rejectUnauthorized: false,
  checkServerIdentity: () => undefined,
};

/** An API client that knows sentences and nothing else, for tests that look at the wire. */
export class RawClient {
  readonly socket: Socket;
  readonly #decoder = new SentenceDecoder();
  #received: string[][] = [];
  #wake: () => void = () => undefined;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(...this.#decoder.push(chunk).map((sentence) => sentence.words()));
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve();
        this.#wake();
      });
    });
  }

  /** @param localAddress source address; all of 127.0.0.0/8 is ours */
  static async open(port: number, localAddress = "127.0.0.1", host = "127.0.0.1"): Promise<RawClient> {
    const socket = connect({ port, host, localAddress });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  static async login(
    port: number,
    { username = "admin", password = "", localAddress = "127.0.0.1" } = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(port, localAddress);
    const replies = await client.run("/login", `=name=${username}`, `=password=${password}`);
    if (replies.length !== 1) throw new Error(JSON.stringify(replies));
    return client;
  }

  /** Log in over TLS: anonymous, as `certificate=none` offers it, or with the options given. */
  static async loginTls(
    port: number,
    { localAddress = "127.0.0.1", tls = ANONYMOUS }: { localAddress?: string; tls?: ConnectionOptions } = {},
  ): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    const secure = connectTls({ host: "127.0.0.1", ...tls, socket });
    await once(secure, "secureConnect");
    const client = new RawClient(secure);
    await client.run("/login", "=name=admin", "=password=");
    return client;
  }

  send(...words: string[]): void {
    this.socket.write(encodeSentence(words));
  }

  /** The next sentence. @throws when the connection ends before one comes */
  async receive(): Promise<string[]> {
    while (this.#received.length === 0) {
      if (this.socket.destroyed) throw new Error("connection closed");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#received.shift() ?? [];
  }

  /** Send one sentence; every sentence up to its `!done` or `!fatal`. */
  async run(...words: string[]): Promise<string[][]> {
    this.send(...words);
    const replies: string[][] = [];
    for (;;) {
      const reply = await this.receive();
      replies.push(reply);
      if (reply[0] === "!done" || reply[0] === "!fatal") return replies;
    }
  }

  /** The rows a command answers. */
  async rows(...words: string[]): Promise<Record<string, string>[]> {
    const replies = await this.run(...words);
    return replies.filter(([first]) => first === "!re").map((reply) => attributesOf(reply));
  }

  close(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function attributesOf(reply: readonly string[]): Record<string, string> {
  const attributes = reply.filter((word) => word.startsWith("="));
  return Object.fromEntries(
    attributes.map((word) => {
      const end = word.indexOf("=", 1);
      return [word.slice(1, end), word.slice(end + 1)];
    }),
  );
}

/** Ports that let every service listen without privileges. */
export const FREE_PORTS = {
  telnet: 0,
  ftp: 0,
  www: 0,
  ssh: 0,
  "www-ssl": 0,
  api: 0,
  winbox: 0,
  "api-ssl": 0,
  "reverse-proxy": 0,
} as const;

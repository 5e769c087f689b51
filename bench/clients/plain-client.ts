/**
 * The yardstick: what one would write in an hour. Every word becomes text as soon as it is complete, every sentence
 * a plain object. No limits, no errors, no time-outs, lengths up to two bytes: nobody should use it.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

interface Waiting {
  readonly rows: Record<string, string>[];
  readonly resolve: (rows: Record<string, string>[]) => void;
}

export class PlainClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<string, Waiting>();
  #lastTag = 0;
  #words: string[] = [];
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk));
  }

  static async connect(options: { port: number; username: string; password: string }): Promise<PlainClient> {
    const socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true });
    await once(socket, "connect");
    const client = new PlainClient(socket);
    await client.#run(["/login", `=name=${options.username}`, `=password=${options.password}`]);
    return client;
  }

  print(menu: string): Promise<Record<string, string>[]> {
    return this.#run([`${menu}/print`]);
  }

  #run(words: string[]): Promise<Record<string, string>[]> {
    const tag = String(++this.#lastTag);
    const sentence = [...words, `.tag=${tag}`]
      .map((word) => String.fromCharCode(word.length) + word)
      .join("");
    this.#socket.write(`${sentence}\0`, "latin1");
    return new Promise((resolve) => this.#waiting.set(tag, { rows: [], resolve }));
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at < bytes.length) {
      let length = bytes[at] ?? 0;
      let start = at + 1;
      if (length >= 0x80) length = ((length & 0x3f) << 8) | (bytes[start++] ?? 0);
      if (start + length > bytes.length) break;
      if (length === 0) this.#sentence();
      else this.#words.push(bytes.toString("utf8", start, start + length));
      at = start + length;
    }
    this.#rest = bytes.subarray(at);
  }

  #sentence(): void {
    const row: Record<string, string> = {};
    let tag = "";
    for (const word of this.#words) {
      const nameEnd = word.indexOf("=", 1);
      if (word.startsWith("=")) row[word.slice(1, nameEnd)] = word.slice(nameEnd + 1);
      else if (word.startsWith(".tag=")) tag = word.slice(5);
    }
    const waiting = this.#waiting.get(tag);
    if (this.#words[0] === "!re") waiting?.rows.push(row);
    else if (this.#words[0] === "!done" && this.#waiting.delete(tag)) waiting?.resolve(waiting.rows);
    this.#words = [];
  }
}

/** What callers use: RouterOS's own verbs over one connection. */

import type { Row } from "./codec/row.ts";
import type { Word } from "./codec/word.ts";
import { commandWords, type Values } from "./command.ts";
import { Connection, type ConnectionOptions, type RunOptions } from "./connection.ts";
import { InvalidCommandError, ProtocolError, type RouterOsError } from "./errors.ts";
import type { Reply } from "./exchange.ts";

export type ClientOptions = ConnectionOptions;

export interface PrintOptions extends RunOptions {
  /** The properties wanted; without it RouterOS returns all, slow ones included. Name `.id` to get it. */
  readonly proplist?: readonly string[];
  /** Query words such as `?name=x` and `?#|`, in RouterOS's order. */
  readonly queries?: readonly string[];
}

export type ListenOptions = Pick<PrintOptions, "proplist" | "queries" | "signal">;

/**
 * A logged-in RouterOS API client. All methods may be called at once; the replies find their commands by tag.
 * A menu is a path such as `/ip/address`. Every method throws what `Connection.run` throws.
 */
export class RouterClient implements AsyncDisposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Connect and log in; throws what `Connection.open` throws. */
  static async connect(options: ClientOptions): Promise<RouterClient> {
    return new RouterClient(await Connection.open(options));
  }

  /** The address we come from, as this host sees it. */
  get localAddress(): string {
    return this.#connection.localAddress;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** SHA-256 of the router's TLS certificate, to pin it; undefined on plain TCP and anonymous TLS. */
  get fingerprint(): string | undefined {
    return this.#connection.fingerprint;
  }

  /** Resolves when the connection has ended: undefined when we closed it, otherwise why. Never rejects. */
  get closed(): Promise<RouterOsError | undefined> {
    return this.#connection.closed;
  }

  /** The rows of a menu; a singleton menu gives one row. */
  async print(menu: string, options: PrintOptions = {}): Promise<Row[]> {
    const words = printWords(`${menu}/print`, options.proplist, options.queries);
    return (await this.#connection.run(words, options)).rows;
  }

  /**
   * How many rows a menu has, or how many of them the queries keep.
   * @throws ProtocolError an answer that is no number
   */
  async count(menu: string, options: Omit<PrintOptions, "proplist"> = {}): Promise<number> {
    const command = `${menu}/print`;
    const words = commandWords(command, { "count-only": "" }, options.queries);
    const { ret } = await this.#connection.run(words, options);
    if (ret === undefined || !/^\d{1,15}$/.test(ret)) {
      throw new ProtocolError("the router did not answer with a number", { operation: command });
    }
    return Number(ret);
  }

  /**
   * Add a row and return its `.id`.
   * @throws ProtocolError an answer without an id; the row may be there
   */
  async add(menu: string, values: Values, options?: RunOptions): Promise<string> {
    const command = `${menu}/add`;
    const { ret } = await this.#connection.run(commandWords(command, values), options);
    if (!ret)
      throw new ProtocolError("the router did not answer with the new row's id", { operation: command });
    return ret;
  }

  /** Change a row: `id` is its `.id` (or, where names are unique, its name); undefined for a singleton menu. */
  async set(menu: string, id: string | undefined, values: Values, options?: RunOptions): Promise<void> {
    const command = `${menu}/set`;
    const target = id === undefined ? {} : { ".id": idList(command, [id]) };
    await this.#connection.run(commandWords(command, { ...values, ...target }), options);
  }

  /** Remove one row or several in one command. Without any id nothing is sent. */
  async remove(menu: string, ids: string | readonly string[], options?: RunOptions): Promise<void> {
    const command = `${menu}/remove`;
    const list = typeof ids === "string" ? [ids] : ids;
    if (list.length === 0) return;
    await this.#connection.run(commandWords(command, { ".id": idList(command, list) }), options);
  }

  /** Run any command with attributes and return its whole reply. */
  async call(command: string, values: Values = {}, options?: RunOptions): Promise<Reply> {
    return this.#connection.run(commandWords(command, values), options);
  }

  /** Run a command given as its words: the path, then `=name=value` and `?query` words. */
  run(words: readonly Word[], options?: RunOptions): Promise<Reply> {
    return this.#connection.run(words, options);
  }

  /**
   * Changes of a menu as they happen. A removed row comes with `.id` and `.dead` only. RouterOS does not do it
   * for every menu: the first step then throws its TrapError. Reader's speed: see `Connection.stream`.
   */
  listen(menu: string, options: ListenOptions = {}): AsyncIterable<Row> {
    const { proplist, queries, ...rest } = options;
    return this.#connection.stream(printWords(`${menu}/listen`, proplist, queries), rest);
  }

  /** The rows of any command that never ends by itself, such as `/interface/monitor-traffic`, given as words. */
  stream(words: readonly Word[], options?: { readonly signal?: AbortSignal }): AsyncIterable<Row> {
    return this.#connection.stream(words, options);
  }

  /** Bytes received on this connection so far, TLS and the login included. */
  get bytesRead(): number {
    return this.#connection.bytesRead;
  }

  /** Bytes sent on this connection so far, TLS and the login included. */
  get bytesWritten(): number {
    return this.#connection.bytesWritten;
  }

  /** Close now; commands on their way end with a ConnectionClosedError. */
  close(): void {
    this.#connection.close();
  }

  /** Give the connection up: closed by a TCP reset, and nothing that waits to be sent is delivered any more. */
  reset(): void {
    this.#connection.reset();
  }

  /** Finish what is on its way, take nothing new, then close. */
  drain(): Promise<void> {
    return this.#connection.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }
}

function printWords(
  command: string,
  proplist: readonly string[] | undefined,
  queries: readonly string[] | undefined,
): Word[] {
  return commandWords(command, proplist === undefined ? {} : { ".proplist": proplist.join(",") }, queries);
}

/** A comma would make two rows of one id, an empty id leaves the target to the router. */
function idList(command: string, ids: readonly string[]): string {
  if (ids.some((id) => id === "" || id.includes(","))) {
    throw new InvalidCommandError("an id is not empty and has no comma", { operation: command });
  }
  return ids.join(",");
}

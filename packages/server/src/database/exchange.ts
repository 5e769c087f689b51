import pg from "pg";

/** One SQL statement as PostgreSQL's extended protocol takes it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Prepared under this name, once per connection. Without one it is parsed every time. */
  readonly name?: string | undefined;
}

/** What pg's Connection offers; its published types leave some of it out. Source: pg 8.23 lib/connection.js. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { text: string; name: string }): void;
  bind(message: { statement: string; values: unknown[]; valueMapper(value: unknown): unknown }): void;
  describe(message: { type: "P" }): void;
  execute(message: object): void;
  close(message: { type: "S"; name: string }): void;
  sync(): void;
}

/** pg's collector of one statement's rows; published without types. */
interface Result extends pg.QueryResult {
  addFields(fields: unknown): void;
  parseRow(values: unknown): pg.QueryResultRow;
  addRow(row: pg.QueryResultRow): void;
  addCommandComplete(message: unknown): void;
}
const { Result, utils } = pg as unknown as {
  Result: new (rowMode?: string, types?: unknown) => Result;
  utils: { prepareValue(value: unknown): unknown };
};

/** Names prepared on each connection. */
const prepared = new WeakMap<pg.ClientBase, Set<string>>();

/**
 * Send several statements in one round trip and return what the last one answers.
 * All of them stand before one Sync: after the first that fails PostgreSQL skips the others. So a statement never runs
 * without the role that one before it sets, and outside BEGIN they are one transaction that ends at the Sync.
 * Source: PostgreSQL manual, "Message Flow: Extended Query" and "Pipelining".
 * @throws pg.DatabaseError of the first statement that failed; other errors mean that the connection is lost
 */
export function exchange(client: pg.ClientBase, statements: readonly Statement[]): Promise<pg.QueryResult> {
  const known = prepared.get(client) ?? new Set();
  prepared.set(client, known);
  return new Promise((resolve, reject) => {
    // A submittable's `callback` is what pg calls, its time limit included.
    client.query(
      new Exchange(statements, known, (error, result) =>
        error ? reject(traced(error)) : resolve(result as Result),
      ),
    );
  });
}

type Callback = (error: Error | undefined, result?: pg.QueryResult) => void;

/** The shape of pg's own Query, as pg-cursor has it: pg's client calls `submit`, then a handler for each answer. */
class Exchange {
  callback: Callback;
  readonly #statements: readonly Statement[];
  readonly #known: Set<string>;
  /** Statements answered so far. */
  #done = 0;
  readonly #result = new Result(undefined, pg.types);
  #failure: Error | undefined;

  constructor(statements: readonly Statement[], known: Set<string>, callback: Callback) {
    this.#statements = statements;
    this.#known = known;
    this.callback = callback;
  }

  submit(connection: unknown): void {
    const wire = connection as Wire;
    wire.stream.cork(); // one segment for all of it
    try {
      const last = this.#statements.length - 1;
      for (const [index, statement] of this.#statements.entries())
        this.#send(wire, statement, index === last);
    } catch (error) {
      this.#failure = error as Error; // a value that can't be sent; the Sync below brings the answer that ends this
    } finally {
      wire.sync();
      wire.stream.uncork();
    }
  }

  #send(wire: Wire, { text, values, name = "" }: Statement, described: boolean): void {
    // Converted first: a value that can't be sent leaves nothing half sent.
    const converted = values.map(utils.prepareValue);
    if (!this.#known.has(name)) {
      // After an exchange that failed we don't know how far it came; closing a name that isn't there does no harm.
      if (name !== "") wire.close({ type: "S", name });
      wire.parse({ text, name });
    }
    wire.bind({ statement: name, values: converted, valueMapper: (value) => value });
    if (described) wire.describe({ type: "P" });
    wire.execute({});
  }

  handleRowDescription({ fields }: { fields: unknown }): void {
    this.#result.addFields(fields);
  }

  /** Rows of the statements before the last say nothing and come without a description. */
  handleDataRow({ fields }: { fields: unknown }): void {
    if (this.#done < this.#statements.length - 1 || this.#failure) return;
    try {
      this.#result.addRow(this.#result.parseRow(fields));
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  handleCommandComplete(message: unknown): void {
    this.#done += 1;
    if (this.#done === this.#statements.length) this.#result.addCommandComplete(message);
  }

  handleEmptyQuery(): void {
    this.#done += 1;
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    if (!this.#failure) {
      for (const { name } of this.#statements) if (name !== undefined) this.#known.add(name);
    }
    this.callback(this.#failure, this.#result);
  }
}

/** Its own stack would begin in the socket; this one leads to whoever asked. */
function traced(error: Error): Error {
  Error.captureStackTrace(error);
  return error;
}

import pg from "pg";
import { serialize } from "pg-protocol";

/** One SQL statement as PostgreSQL's extended protocol takes it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Prepared under this name, once per connection. Without one it is parsed every time. */
  readonly name?: string | undefined;
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

/** Statements that are sent again and again with the same values, before others. */
export class Opening {
  readonly statements: readonly Statement[];
  /** As sent where their names are prepared already; undefined while they have none. */
  readonly known: Buffer | undefined;

  constructor(statements: readonly Statement[]) {
    this.statements = statements;
    const named = statements.every(({ name }) => name !== undefined);
    this.known = named ? Buffer.concat(statements.map((one) => run(one))) : undefined;
  }
}

/**
 * Send `opening` and `statement` in one round trip and return what `statement` answers.
 * All of them stand before one Sync: after the first that fails PostgreSQL skips the others. So a statement never runs
 * without the role that one before it sets, and outside BEGIN they are one transaction that ends at the Sync.
 * Source: PostgreSQL manual, "Message Flow: Extended Query" and "Pipelining".
 * @throws pg.DatabaseError of the first statement that failed; TypeError for a value that can't be sent, and nothing
 *   was sent; other errors mean that the connection is lost
 */
export async function exchange(
  client: pg.ClientBase,
  opening: Opening | undefined,
  statement: Statement,
): Promise<pg.QueryResult> {
  const known = prepared.get(client) ?? new Set();
  prepared.set(client, known);
  const statements = [...(opening?.statements ?? []), statement];
  const message = encode(known, opening, statement);
  return new Promise((resolve, reject) => {
    const answered: Callback = (error, result) => {
      if (error) {
        if (isOutdatedPlan(error)) known.clear();
        return reject(traced(error));
      }
      for (const { name } of statements) if (name !== undefined) known.add(name);
      resolve(result as Result);
    };
    client.query(new Exchange(message, statements.length, answered));
  });
}

/**
 * True when a newer version has changed a table under a statement that was prepared before. It is prepared anew at its
 * next use. Source: PostgreSQL, plancache.c, "cached plan must not change result type", SQLSTATE 0A000.
 */
export function isOutdatedPlan(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "0A000" && /cached plan/.test(error.message);
}

/** One buffer, and so one write to the socket. */
function encode(known: ReadonlySet<string>, opening: Opening | undefined, statement: Statement): Buffer {
  const before = opening?.statements ?? [];
  const ready = before.every(({ name }) => name !== undefined && known.has(name));
  return Buffer.concat([
    ...(ready && opening?.known
      ? [opening.known]
      : before.flatMap((one) => [...prepare(one, known), run(one)])),
    ...prepare(statement, known),
    bind(statement),
    serialize.describe({ type: "P" }),
    serialize.execute(),
    serialize.sync(),
  ]);
}

function prepare({ text, name = "" }: Statement, known: ReadonlySet<string>): Buffer[] {
  if (known.has(name)) return [];
  const parse = serialize.parse({ text, name });
  // After an exchange that failed we don't know how far it came; closing a name that isn't there does no harm.
  return name === "" ? [parse] : [serialize.close({ type: "S", name }), parse];
}

function run(statement: Statement): Buffer {
  return Buffer.concat([bind(statement), serialize.execute()]);
}

function bind({ values, name = "" }: Statement): Buffer {
  return serialize.bind({ statement: name, values: [...values], valueMapper: utils.prepareValue });
}

type Callback = (error: Error | undefined, result?: pg.QueryResult) => void;

/** The shape of pg's own Query, as pg-cursor has it: pg's client calls `submit`, then a handler for each answer. */
class Exchange {
  callback: Callback;
  readonly #message: Buffer;
  /** Statements that are not answered yet. */
  #open: number;
  readonly #result = new Result(undefined, pg.types);
  #failure: Error | undefined;

  constructor(message: Buffer, statements: number, callback: Callback) {
    this.#message = message;
    this.#open = statements;
    this.callback = callback;
  }

  submit(connection: pg.Connection): void {
    connection.stream.write(this.#message);
  }

  handleRowDescription({ fields }: { fields: unknown }): void {
    this.#result.addFields(fields);
  }

  /** Rows of the statements before the last say nothing and come without a description. */
  handleDataRow({ fields }: { fields: unknown }): void {
    if (this.#open > 1 || this.#failure) return;
    try {
      this.#result.addRow(this.#result.parseRow(fields));
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  handleCommandComplete(message: unknown): void {
    this.#open -= 1;
    if (this.#open === 0) this.#result.addCommandComplete(message);
  }

  handleEmptyQuery(): void {
    this.#open -= 1;
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(this.#failure, this.#result);
  }
}

/** Its own stack would begin in the socket; this one leads to whoever asked. */
function traced(error: Error): Error {
  Error.captureStackTrace(error);
  return error;
}

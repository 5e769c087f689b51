/** The database behind a pooler in transaction mode, where every transaction may run on another server connection. */
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Database } from "./database.ts";
import { silentLog } from "./log.ts";
import { notify } from "./notifier.ts";
import { Notifications } from "./notify.ts";
import { poolerMissing, startPooler } from "./pooler.fixture.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";
import type { Trx } from "./trx.ts";

/** How long a condition is waited for on a busy machine, and how often it is looked at, milliseconds. */
const SOON = { timeout: 20_000, interval: 10 };

const note = poolerMissing === undefined ? "" : ` (${poolerMissing})`;

describe.skipIf(poolerMissing !== undefined)(`behind PgBouncer${note}`, () => {
  const opened = new AsyncDisposableStack();
  let behind: TestDatabase;
  let database: Database;
  let customers: string[];

  beforeAll(async () => {
    behind = opened.use(await createTestDatabase());
    const { url } = opened.use(await startPooler(behind.connectionString));
    database = opened.use(await Database.open({ connection: url, pooler: true, log: silentLog }));
    customers = await database.asSystem(async (trx) => {
      const made = await trx
        .insertInto("customers")
        .values(["a", "b", "c", "d"].map((name) => ({ name })))
        .returning("id")
        .execute();
      return made.map(({ id }) => id);
    });
  });
  afterAll(() => opened.disposeAsync());

  const visible = (trx: Trx) =>
    trx
      .selectFrom("customers")
      .select("id")
      .execute()
      .then((rows) => rows.map(({ id }) => id));

  test("many transactions at once see the rows of their own customer", async () => {
    const all = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const customer = customers[index % customers.length] as string;
        const seen =
          index % 2 === 0
            ? await database.readAsCustomer(customer, visible)
            : await database.asCustomer(customer, async (trx) => {
                await visible(trx);
                return visible(trx);
              });
        return { customer, seen };
      }),
    );
    for (const { customer, seen } of all) expect(seen).toEqual([customer]);
  });

  test("time-outs reach the server, and nothing stays in the session that others are lent", async () => {
    const [first] = customers as [string];
    const settings = sql<Record<string, string>>`
      select current_setting('statement_timeout') as statement, current_user::text as role,
             current_setting('portreeve.customer_id', true) as customer`;
    const during = await database.asCustomer(first, (trx) => settings.execute(trx));
    expect(during.rows).toEqual([{ statement: "10s", role: "portreeve_tenant", customer: first }]);
    const after = await database.asSystem(async (trx) => {
      await sql`commit`.execute(trx); // what follows runs as the next one who is lent the connection would
      return settings.execute(trx);
    });
    const [row] = after.rows;
    expect(row?.statement).toBe("0");
    expect(row?.role).not.toMatch(/^portreeve_(tenant|system)$/);
  });

  test("what is announced through it is heard on a direct connection", async () => {
    const heard: string[] = [];
    await using _listener = await Notifications.open({
      connection: behind.connectionString,
      channels: ["sites"],
      onNotification: (_channel, payload) => heard.push(payload),
      onReconnect: () => {},
      log: silentLog,
    });
    await database.asSystem((trx) => notify(trx, "sites", "one"));
    await expect.poll(() => heard, SOON).toEqual(["one"]);
  });

  test("it is ready", async () => {
    expect(await database.problem()).toBeUndefined();
  });
});

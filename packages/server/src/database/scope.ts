import type { Statement } from "./exchange.ts";

/** The server ends a statement that runs longer, milliseconds. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** The server ends a session that holds a transaction open without using it: nobody waits for a router inside one. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;

/** The role a transaction runs under: a customer's, who sees its own rows, or the system's, which sees all. */
export type Scope = { readonly customerId: string } | "system";

const BEGIN: Statement = { text: "begin", values: [], name: "begin" };

/**
 * What comes before the first statement of a transaction, in the same round trip. Every setting is LOCAL, so a
 * connection carries none back into the pool, and a pooler in transaction mode can lend it to somebody else.
 */
export function openTransaction(scope: Scope): readonly Statement[] {
  return [BEGIN, settle(scope, {})];
}

/** What comes before a statement that is a transaction by itself and must not write. */
export function openReading(scope: Scope): readonly Statement[] {
  return [settle(scope, { transaction_read_only: "on" })];
}

/** What comes before a statement that is a transaction by itself and need not survive a crash of the database. */
export function openWithoutWaiting(scope: Scope): readonly Statement[] {
  return [settle(scope, { synchronous_commit: "off" })];
}

function settle(scope: Scope, more: Readonly<Record<string, string>>): Statement {
  const settings: Record<string, string> = {
    role: scope === "system" ? "portreeve_system" : "portreeve_tenant",
    ...(scope === "system" ? {} : { "portreeve.customer_id": scope.customerId }),
    statement_timeout: String(STATEMENT_TIMEOUT_MS),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    ...more,
  };
  const names = Object.keys(settings);
  // The names are ours; values travel beside the text, so that one prepared statement serves every customer.
  const calls = names.map((name, index) => `set_config('${name}', $${index + 1}, true)`);
  return {
    text: `select ${calls.join(", ")}`,
    values: names.map((name) => settings[name]),
    name: `settle ${scope === "system" ? "system" : "tenant"} ${Object.keys(more).join()}`,
  };
}

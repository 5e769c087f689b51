import type { Transaction } from "kysely";
import type { Tables } from "./tables.ts";

/** One transaction, bound to a customer or to the system role. Not to be used after its work has ended. */
export type Trx = Transaction<Tables>;

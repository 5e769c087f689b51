/** What the workflows of a site have in common. */
import type { Database } from "../../database/index.ts";
import type { Vault } from "../../vault/index.ts";
import type { RouterLogins } from "../login.ts";
import type { Logins } from "../logins.ts";
import type { WorkflowRow } from "./store.ts";

export interface WorkflowContext {
  readonly database: Database;
  readonly vault: Vault;
  readonly logins: RouterLogins;
  /** Name of our user on routers. */
  readonly username: string;
}

/** Everything one transition is made from, read afresh. */
export interface Moment {
  readonly signal: AbortSignal;
  readonly logins: Logins;
  /** Where the workflow stands; undefined: in its first state. */
  readonly row: WorkflowRow | undefined;
}

/** Make one transition. What it throws leaves the workflow in the state it is in, to be tried again next period. */
export type Transition = (context: WorkflowContext, moment: Moment) => Promise<void>;

/** What a role is to whoever starts it, in this process or in one of its own. */
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { Connection } from "../database/index.ts";
import type { LocalGateway } from "./local-gateway.ts";

/** What every role is given. Each opens what it needs itself: roles share no memory, so each can be its own process. */
export interface RoleContext {
  readonly config: Config;
  /** The embedded database; undefined where the configuration names another. */
  readonly embedded: Connection | undefined;
  /** Undefined where this host runs no gateway. */
  readonly localGateway: LocalGateway | undefined;
  readonly log: Logger;
  /** Problems of roles that run elsewhere beside this one, by part; what `/readyz` of the API shows as well. */
  readonly otherProblems: () => Promise<Problems>;
}

/** What does not work at the moment, in words, by the part of Portreeve it concerns; empty when everything works. */
export type Problems = Readonly<Record<string, string>>;

export interface RunningRole extends AsyncDisposable {
  /** Where API and portal answer; undefined for other roles. */
  readonly url?: string | undefined;
  /** The first administrator's token, when this start made it, in the clear: to be printed once. */
  readonly bootstrapToken?: string | undefined;
  /** What of this role does not work at the moment. */
  problems(): Promise<Problems>;
}

/**
 * Start a role and resolve once it works.
 * @throws what keeps it from working: the port is taken, the database can't be used, a setting is wrong; nothing is
 *   left running then
 */
export type StartRole = (context: RoleContext) => Promise<RunningRole>;

/** The way over RouterOS's API: every call is answered at once, over a connection that is logged in. */
import { TrapError } from "@portreeve/routeros";
import { checkLease } from "../../database/index.ts";
import {
  type Answer,
  ChangeUndoneError,
  type Confirmation,
  type Confirmed,
  type Delivery,
  type LinkCall,
  type MenuRead,
  NeedsAttentionError,
  type Observed,
  type OpenSecret,
  type RouterLink,
  type RouterLinks,
  type RouterNow,
  StepError,
} from "../../reconcile/index.ts";
import type { RouterAccess, RouterSession } from "../session.ts";
import { deliver, deliverAtOnce } from "./deliver.ts";
import { observe } from "./observe.ts";
import { armRollbackTimer, disarmRollbackTimer } from "./rollback-timer.ts";
import { type SafeMode, takeSafeMode } from "./safe-mode.ts";

/** How long the new login may take, milliseconds: well within the rollback timer's time. */
const PROOF_TIMEOUT_MS = 45_000;

export interface ApiLinksOptions {
  readonly access: RouterAccess;
  readonly openSecret: OpenSecret;
}

export function apiLinks({ access, openSecret }: ApiLinksOptions): RouterLinks {
  return {
    open: async (siteId, signal) =>
      new ApiLink(siteId, await access.open(siteId, signal), { access, openSecret }),
    openForReading: async (siteId, signal) =>
      new ApiLink(siteId, await access.openForReading(siteId, signal), { access, openSecret }),
    heartbeat: (siteId, signal) => access.heartbeat(siteId, signal),
  };
}

class ApiLink implements RouterLink {
  readonly #siteId: string;
  readonly #options: ApiLinksOptions;
  /** Closed newest first: of a site's connections the youngest is kept for the next run. */
  readonly #sessions = new AsyncDisposableStack();
  /** The newest: opened under the rules that hold now. */
  #session: RouterSession;
  /** Held from a change of the management path to its proof. */
  #safeMode: SafeMode | undefined;

  constructor(siteId: string, session: RouterSession, options: ApiLinksOptions) {
    this.#siteId = siteId;
    this.#options = options;
    this.#session = this.#sessions.use(session);
  }

  get router(): RouterNow {
    const { version, managementAddress, service } = this.#session;
    return { version, managementAddress, service };
  }

  listen(reads: readonly MenuRead[]): void {
    this.#session.watch.listen(reads);
  }

  rest(observed: Observed): void {
    this.#session.watch.rest(observed);
  }

  async observe(reads: readonly MenuRead[], { signal }: LinkCall): Promise<Answer<Observed>> {
    return done(await observe(this.#session.client, reads, signal));
  }

  async deliver({ steps, rollback }: Delivery, call: LinkCall): Promise<Answer<undefined>> {
    const { client, version } = this.#session;
    const { signal } = call;
    const open = (reference: Parameters<OpenSecret>[1]) => this.#options.openSecret(this.#siteId, reference);
    const context = { signal, open };
    if (!rollback) {
      await deliver(steps, client, context);
      return done(undefined);
    }
    await this.#arm(steps, call);
    await call.armed?.();
    checkLease();
    this.#safeMode = await takeSafeMode(client, version);
    try {
      await deliverAtOnce(steps, client, context);
    } catch (error) {
      throw await this.#undone(error, call);
    }
    return done(undefined);
  }

  async confirm({ rollback }: Confirmation, call: LinkCall): Promise<Answer<Confirmed>> {
    const { access } = this.#options;
    const limit = AbortSignal.timeout(PROOF_TIMEOUT_MS);
    const signal = rollback ? AbortSignal.any([call.signal, limit]) : call.signal;
    try {
      this.#session = this.#sessions.use(await access.openForReading(this.#siteId, signal));
    } catch (error) {
      throw await this.#undone(error, call);
    }
    await this.#safeMode?.release();
    this.#safeMode = undefined;
    if (!rollback) return done({ stands: true });
    checkLease();
    return done({ stands: await disarmRollbackTimer(this.#session.client, call.signal) });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#sessions.disposeAsync();
  }

  async #arm(steps: Delivery["steps"], { signal }: LinkCall): Promise<void> {
    const { client } = this.#session;
    checkLease();
    await disarmRollbackTimer(client, signal); // one of an earlier change would undo this one
    checkLease();
    try {
      await armRollbackTimer(client, steps, signal);
    } catch (error) {
      if (!(error instanceof TrapError)) throw error;
      throw new NeedsAttentionError(
        `the router takes no scheduler entry (${error.message}), so a change of the management path could not be undone; ` +
          "nothing of the management path is changed",
        { cause: error },
      );
    }
  }

  /** Have a change taken back that did not come to its end. @returns what to throw */
  async #undone(error: unknown, { signal }: LinkCall): Promise<unknown> {
    const safeMode = this.#safeMode;
    this.#safeMode = undefined;
    await safeMode?.unroll();
    const isUndone = (safeMode !== undefined || error instanceof StepError) && !signal.aborted;
    return isUndone ? new ChangeUndoneError(error) : error;
  }
}

function done<T>(result: T): Answer<T> {
  return { state: "done", result };
}

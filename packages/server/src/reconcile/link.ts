/**
 * What the reconciler asks of a router, whichever way leads there. Types alone.
 *
 * A link may answer at once, over a connection, or minutes later, when the router has polled and reported: then a call
 * returns `waiting`, the run ends, and a later run repeats the call with the wake key it got, more than once if it has
 * to. Every request is plain data without secrets, so that it can be stored in between.
 */
import type { Observed, Print, RouterNow, Step } from "./types.ts";

export type Answer<T> = { readonly state: "done"; readonly result: T } | Waiting;

export interface Waiting {
  readonly state: "waiting";
  /** No answer by then: what became of the request is unknown, and the router is observed afresh. */
  readonly until: Date;
  /** Names what was handed over, for whoever hears of its answer. */
  readonly wakeKey: string;
}

/** One menu to be read: the rows that these prints show. */
export interface MenuRead {
  readonly menu: string;
  readonly prints: readonly Print[];
  /** A router may lack the menu; it is then not among what was observed. */
  readonly optional: boolean;
}

export interface Delivery {
  /** Carried out one after the other, up to the first refusal. */
  readonly steps: readonly Step[];
  /**
   * They change the management path: they are put behind a rollback timer, which undoes them by itself unless
   * `confirm` takes it away.
   */
  readonly rollback: boolean;
}

export interface Confirmation {
  /** Take a rollback timer away, whoever armed it. */
  readonly rollback: boolean;
}

export interface Confirmed {
  /** False: the rollback timer was gone already, so the change was undone. */
  readonly stands: boolean;
}

export interface LinkCall {
  readonly signal: AbortSignal;
  /** The wake key of the same request, handed over in an earlier run: ask for its answer. */
  readonly resume?: string | undefined;
  /** Of a delivery behind a rollback timer: awaited before the first of its steps can take effect. */
  readonly armed?: (() => Promise<void>) | undefined;
}

/** One way to one router, during one run. */
export interface RouterLink extends AsyncDisposable {
  readonly router: RouterNow;
  /** Listen to these menus, which are about to be read, from now on. A link that hears nothing lacks it. */
  listen?(reads: readonly MenuRead[]): void;
  /** The router has what it is to have, as observed by the last reading: a heartbeat may stand for the next. */
  rest?(observed: Observed): void;
  /** Read menus, all of them or none. */
  observe(reads: readonly MenuRead[], call: LinkCall): Promise<Answer<Observed>>;
  /**
   * @throws StepError the router refused one; those before it stay applied, unless a rollback timer undoes them
   * @throws ChangeUndoneError a change of the management path is certain to be undone
   * @throws NeedsAttentionError the router takes no rollback timer; nothing was changed
   */
  deliver(delivery: Delivery, call: LinkCall): Promise<Answer<undefined>>;
  /**
   * Prove that the router is reached under the rules that hold now, and only then take the rollback timer away.
   * @throws ChangeUndoneError as `deliver`; and whatever says that the router was not reached
   */
  confirm(confirmation: Confirmation, call: LinkCall): Promise<Answer<Confirmed>>;
}

export interface RouterLinks {
  /** @throws what kept us from it: the errors of logging in, where the link logs in */
  open(siteId: string, signal: AbortSignal): Promise<RouterLink>;
  /** Over a connection of its own, changing nothing on the router. */
  openForReading(siteId: string, signal: AbortSignal): Promise<RouterLink>;
  /**
   * Instead of a run, for a router that is listened to: see that it is there and still has our user, without a look
   * into the database. A link that hears nothing lacks it.
   * @returns false: a run is due. Never rejects
   */
  heartbeat?(siteId: string, signal: AbortSignal): Promise<boolean>;
}

/** What needs several steps with a router's answer in between. */
export interface SiteWorkflows {
  /**
   * Make one transition of a workflow of this site that can go on.
   * @returns whether there was one: then everything may be another
   */
  advance(siteId: string, signal: AbortSignal): Promise<boolean>;
}

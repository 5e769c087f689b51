import { ConnectError, LoginError, ProtocolError, RouterOsError } from "@portreeve/routeros";
import { printable } from "../kernel/untrusted.ts";
import type { Waiting } from "./link.ts";
import type { Outcome, Step } from "./types.ts";

/** Nothing more will happen by itself: a person has to look. The message says at what. */
export class NeedsAttentionError extends Error {
  override readonly name = "NeedsAttentionError";
}

/** A change of the management path did not come to its end, and is certain to be undone: why is its cause. */
export class ChangeUndoneError extends Error {
  override readonly name = "ChangeUndoneError";
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** The router answers later: the run ends, and another one goes on when it is woken. */
export class WaitingError extends Error {
  override readonly name = "WaitingError";
  readonly waiting: Waiting;
  constructor(waiting: Waiting) {
    super(`handed over to the router, which is to report by ${waiting.until.toISOString()}`);
    this.waiting = waiting;
  }
}

/** The router refused one step of a plan. */
export class StepError extends Error {
  override readonly name = "StepError";
  readonly step: Step;
  constructor(step: Step, cause: unknown) {
    super(`${step.text}: ${messageOf(cause)}`, { cause });
    this.step = step;
  }
}

/** The steps were delivered and the router still differs. */
export class NotConvergedError extends Error {
  override readonly name = "NotConvergedError";
  constructor(remaining: readonly Step[]) {
    super(`the router accepted the plan but still differs: ${remaining.map(({ text }) => text).join("; ")}`);
  }
}

/** Errors that leave the router's state unknown: it is read back and planned again, never counted as failed. */
export function isUnknown(error: unknown): boolean {
  return error instanceof RouterOsError && error.outcomeUnknown;
}

/**
 * What a failed run means for the site. An unreachable router is an expected state and stays `pending`;
 * refused logins wait for a person; something that does not speak RouterOS, a refused step and everything else is `failed` with the reason and tried again next period.
 */
export function outcomeOf(error: unknown): Outcome {
  const cause = error instanceof StepError ? error.cause : error;
  if (error instanceof WaitingError) return { state: "pending", reason: error.message, reached: true };
  if (
    cause instanceof ProtocolError ||
    (cause instanceof ConnectError && cause.cause instanceof ProtocolError)
  ) {
    return { state: "failed", reason: messageOf(error), reached: cause instanceof ProtocolError };
  }
  if (cause instanceof ConnectError || isUnknown(cause)) {
    return { state: "pending", reason: messageOf(error), reached: false };
  }
  if (cause instanceof LoginError || cause instanceof NeedsAttentionError) {
    return { state: "needs_attention", reason: messageOf(error), reached: cause instanceof LoginError };
  }
  return { state: "failed", reason: messageOf(error), reached: true };
}

/** An error's message, fit to be stored and shown: a router may have written it. */
export function messageOf(error: unknown): string {
  return printable((error instanceof Error ? error.message : String(error)).trim(), 500);
}

import type { RolloutState } from "@portreeve/api-schema";
import { DomainError } from "../kernel/errors.ts";

export class RolloutNotFoundError extends DomainError {
  constructor() {
    super({
      status: 404,
      code: "rollout-not-found",
      title: "No such rollout",
      detail: "No rollout has this id.",
    });
  }
}

/** What was asked for fits another state of the rollout. */
export class RolloutStateError extends DomainError {
  constructor(state: RolloutState, wanted: readonly RolloutState[]) {
    super({
      status: 409,
      code: "rollout-state",
      title: "The rollout is in another state",
      detail: `It is ${state}; this needs one that is ${wanted.join(" or ")}.`,
    });
  }
}

import { DomainError } from "../kernel/errors.ts";

export class RotationInProgressError extends DomainError {
  constructor() {
    super({
      status: 409,
      code: "rotation-in-progress",
      title: "A rotation is already under way",
      detail:
        "The last new login has not been proven on the router yet; see GET credentials and the site's sync state.",
    });
  }
}

import { DomainError, type FieldErrors } from "../kernel/errors.ts";

export class PolicyNotFoundError extends DomainError {
  constructor() {
    super({
      status: 404,
      code: "policy-not-found",
      title: "No such policy",
      detail: "No policy has this id.",
    });
  }
}

export class DefaultPolicyError extends DomainError {
  constructor() {
    super({
      status: 409,
      code: "default-policy",
      title: "The default policy can't be deleted",
      detail: "Sites of deleted policies fall back to it. Change it with PUT instead.",
    });
  }
}

export class UnknownSitesError extends DomainError {
  constructor(problems: Readonly<Record<string, string[]>>) {
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: Object.values(problems).flat().join("; "),
      errors: { ...problems },
    });
  }
}

/** Every site is a router that is asked while the caller waits. */
export class TooManySitesError extends DomainError {
  constructor(attached: number, most: number) {
    const message = `must name at most ${most} sites: ${attached} are attached to this policy, too many for one preview`;
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: `sites ${message}`,
      errors: { sites: [message] },
    });
  }
}

/** The policy would close the service through which Portreeve reaches some of its sites. */
export class ManagementPathClosedError extends DomainError {
  constructor(errors: FieldErrors) {
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: sentences(errors),
      errors,
    });
  }
}

/** The caller would lock themselves out. They may, once they give a reason. */
export class CallerLockedOutError extends DomainError {
  constructor(errors: FieldErrors, howToConfirm: string) {
    super({
      status: 422,
      code: "caller-locked-out",
      title: "You would lock yourself out",
      detail: `${sentences(errors)}; ${howToConfirm}`,
      errors,
    });
  }
}

function sentences(errors: FieldErrors): string {
  return Object.entries(errors)
    .map(([field, messages]) => `${field} ${messages.join(", ")}`)
    .join("; ");
}

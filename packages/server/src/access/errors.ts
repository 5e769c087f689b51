import { DomainError } from "../kernel/errors.ts";

export class GrantNotFoundError extends DomainError {
  constructor() {
    super({
      status: 404,
      code: "transient-access-not-found",
      title: "No such access",
      detail: "This site has no transient access with this id.",
    });
  }
}

export class ServiceClosedError extends DomainError {
  constructor(type: string) {
    super({
      status: 409,
      code: "service-closed",
      title: "The site's policy closes this service",
      detail: `The policy of this site has ${type} disabled; enable it there or open another type of access.`,
    });
  }
}

export class OpenToEveryoneError extends DomainError {
  constructor() {
    super({
      status: 403,
      code: "insufficient-scope",
      title: "The token may not do this",
      detail: "Access from the whole internet needs the scope access:open-any.",
    });
  }
}

export class PortPoolExhaustedError extends DomainError {
  constructor() {
    super({
      status: 503,
      code: "port-pool-exhausted",
      title: "No gateway port is free",
      detail:
        "Every port of PORTREEVE_GATEWAY_PORTS is in use; revoke access that is no longer needed or widen the range.",
    });
  }
}

/** The access carries nothing any more, and that could not be written down yet. */
export class ClosedNotRecordedError extends DomainError {
  constructor(options?: ErrorOptions) {
    super(
      {
        status: 503,
        code: "closed-not-recorded",
        title: "Closed, and not recorded yet",
        detail:
          "The gateway has closed the access and keeps it closed. The database could not be written; that is made good when it answers again.",
      },
      options,
    );
  }
}

export class NotClosedError extends DomainError {
  constructor() {
    super({
      status: 503,
      code: "not-closed",
      title: "Revoked, and not known to be closed",
      detail:
        "The revocation is recorded. The gateway could not be reached: it closes when it hears of it, at the end of the access, or 75 seconds after it last heard from the control plane, whichever comes first. Ask again to know.",
    });
  }
}

/** Nothing is known to have happened. */
export class DatabaseLateError extends DomainError {
  constructor(waitedMs: number) {
    super({
      status: 503,
      code: "database-unavailable",
      title: "The database does not answer",
      detail: `The database has not answered within ${waitedMs / 1000} seconds. Try again in a few seconds.`,
    });
  }
}

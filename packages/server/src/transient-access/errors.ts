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

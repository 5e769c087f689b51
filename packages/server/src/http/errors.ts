/** What the frame itself refuses, whichever route was meant. */
import { DomainError, type FieldErrors } from "../kernel/errors.ts";

export class MethodNotAllowedError extends DomainError {
  constructor(allowed: readonly string[]) {
    super({
      status: 405,
      code: "method-not-allowed",
      title: "Method not allowed",
      detail: `This address answers ${allowed.join(", ")}.`,
      headers: { allow: allowed.join(", ") },
    });
  }
}

export class MalformedBodyError extends DomainError {
  constructor(detail: string) {
    super({ status: 400, code: "malformed-body", title: "The body can't be read", detail });
  }
}

export class RateLimitedError extends DomainError {
  constructor(seconds: number) {
    super({
      status: 429,
      code: "rate-limited",
      title: "Too many requests",
      detail: `Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`,
    });
  }
}

/** Some part of Portreeve is not working yet, or not now. */
export class NotReadyError extends DomainError {
  constructor(errors: FieldErrors) {
    const detail = Object.entries(errors)
      .map(([part, reasons]) => `${part}: ${reasons.join("; ")}`)
      .join(", ");
    super({ status: 503, code: "not-ready", title: "Portreeve is not ready", detail, errors });
  }
}

/** The database can't be reached or is too busy at the moment; the same request is worth another try. */
export class DatabaseUnavailableError extends DomainError {
  constructor(options?: ErrorOptions) {
    super(
      {
        status: 503,
        code: "database-unavailable",
        title: "The database does not answer",
        detail: "Portreeve can't use its database at the moment. Try again in a few seconds.",
        headers: { "retry-after": "5" },
      },
      options,
    );
  }
}

import { DomainError } from "../kernel/errors.ts";

export class CheckRunningError extends DomainError {
  constructor() {
    super({
      status: 409,
      code: "exposure-check-running",
      title: "The site is being checked already",
      detail: "GET the site's exposure in a few seconds: the check that is running will be there.",
    });
  }
}

export class TooManyChecksError extends DomainError {
  constructor(perMinute: number) {
    super({
      status: 429,
      code: "rate-limited",
      title: "Too many requests",
      detail: `At most ${perMinute} exposure checks a minute. Try again in a minute.`,
      headers: { "retry-after": "60" },
    });
  }
}

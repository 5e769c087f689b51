/** Field, by its dotted path -> what to change there. */
export type FieldErrors = Record<string, string[]>;

export interface ProblemFields {
  /** HTTP status, 400 to 599. */
  status: number;
  /** Stable, kebab-case; clients decide by it. */
  code: string;
  /** The kind of problem, the same for every occurrence. */
  title: string;
  /** This occurrence, for people. Never a value somebody sent, unless it can't be a secret. */
  detail: string;
  errors?: FieldErrors;
  headers?: Record<string, string>;
}

/**
 * An error the caller can do something about. Each domain states its own beside its code, one class per situation;
 * `http/problem.ts` makes the answer from it.
 */
export class DomainError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly errors: FieldErrors | undefined;
  readonly headers: Record<string, string>;

  constructor({ status, code, title, detail, errors, headers = {} }: ProblemFields, options?: ErrorOptions) {
    super(detail, options);
    this.name = new.target.name;
    this.status = status;
    this.code = code;
    this.title = title;
    this.errors = errors;
    this.headers = headers;
  }
}

/** Nothing here, or nothing the caller may see: both answer the same. */
export class NotFoundError extends DomainError {
  constructor(detail = "Nothing here has this address or id.") {
    super({ status: 404, code: "not-found", title: "Not found", detail });
  }
}

/** What was sent is understood and can't be taken as it is. */
export class ValidationError extends DomainError {
  constructor(errors: FieldErrors) {
    const [[field, [problem]] = ["", [""]]] = Object.entries(errors) as [string, string[]][];
    const more = Object.keys(errors).length - 1;
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: `${field}: ${problem}${more > 0 ? ` (and ${more} more ${more === 1 ? "field" : "fields"})` : ""}`,
      errors,
    });
  }
}

/** No token, or none that is good now. One answer for all of it: it tells nobody whether a token once existed. */
export class UnauthenticatedError extends DomainError {
  constructor() {
    super({
      status: 401,
      code: "unauthenticated",
      title: "A valid token is needed",
      detail: "Send a current API token as 'Authorization: Bearer <token>'.",
      headers: { "www-authenticate": 'Bearer realm="portreeve"' },
    });
  }
}

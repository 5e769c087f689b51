import { DomainError } from "../kernel/errors.ts";
import type { AuthorityInputError } from "./authority.ts";

export class AuthorityNotFoundError extends DomainError {
  constructor() {
    super({
      status: 404,
      code: "certificate-authority-not-found",
      title: "No certificate authority",
      detail: "The routers sign their own certificates; PUT an authority to change that.",
    });
  }
}

export class UnusableAuthorityError extends DomainError {
  constructor({ field, message }: AuthorityInputError) {
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: `${field} ${message}`,
      errors: { [field]: [message] },
    });
  }
}

import { DomainError } from "../kernel/errors.ts";

export class FixNotFoundError extends DomainError {
  constructor() {
    super({
      status: 404,
      code: "hardening-fix-not-found",
      title: "No such fix on this site",
      detail: "The site has no fix of this name to stop.",
    });
  }
}

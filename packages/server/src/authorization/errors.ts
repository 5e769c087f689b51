import { DomainError } from "../kernel/errors.ts";

export class InsufficientScopeError extends DomainError {
  constructor(scope: string) {
    super({
      status: 403,
      code: "insufficient-scope",
      title: "The token lacks a scope",
      detail: `This needs a token with the scope ${scope}.`,
      headers: {
        "www-authenticate": `Bearer realm="portreeve", error="insufficient_scope", scope="${scope}"`,
      },
    });
  }
}

import { DomainError } from "../kernel/errors.ts";

export class TokenNotFoundError extends DomainError {
  constructor() {
    super({ status: 404, code: "not-found", title: "Not found", detail: "No token has this id." });
  }
}

/** Otherwise a stolen token could make itself stronger. */
export class StrongerTokenError extends DomainError {
  constructor(scopes: readonly string[]) {
    super({
      status: 403,
      code: "stronger-token",
      title: "A token can't create a stronger one",
      detail: `Your token lacks ${scopes.join(", ")}, so it can't give them to a new token.`,
      errors: { scopes: [`must be scopes of your own token; leave out ${scopes.join(", ")}`] },
    });
  }
}

/** Otherwise a token about to end could live on in another. */
export class OutlivingTokenError extends DomainError {
  constructor(expiresAt: Date) {
    super({
      status: 403,
      code: "outliving-token",
      title: "A token can't create one that lives longer",
      detail: `Your token ends at ${expiresAt.toISOString()}; the new one must not end later.`,
      errors: { expires_at: [`must be ${expiresAt.toISOString()} or earlier`] },
    });
  }
}

/** The operator's bootstrap token can't be taken; the server doesn't start. The message never shows the token. */
export class BootstrapTokenError extends Error {
  readonly code = "bootstrap-token";

  constructor(problem: string) {
    super(`the bootstrap token can't be used: ${problem}`);
    this.name = "BootstrapTokenError";
  }
}

import { DomainError } from "../kernel/errors.ts";
import { messageOf } from "../reconcile/index.ts";

export class SiteNotFoundError extends DomainError {
  constructor() {
    super({ status: 404, code: "site-not-found", title: "No such site", detail: "No site has this id." });
  }
}

export class SiteNotReadyError extends DomainError {
  constructor(detail: string) {
    super({ status: 409, code: "site-not-ready", title: "The site is not ready for this", detail });
  }
}

/** Two sites for one router would take its login from each other and fight over its policy. */
export class RouterAlreadyAddedError extends DomainError {
  constructor(site: { id: string; name: string }) {
    super({
      status: 409,
      code: "router-already-added",
      title: "This router is already a site",
      detail: `Site ${site.id} (${site.name}) has this address and port. Change that one, or delete it first.`,
    });
  }
}

export class SiteAddressError extends DomainError {
  constructor(problem: string) {
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: `address: ${problem}`,
      errors: { address: [problem] },
    });
  }
}

/** A certificate was named for a site that shows none. */
export class FingerprintWithoutTlsError extends DomainError {
  constructor() {
    const problem = 'is of use with api-ssl alone; give management_transport: "api-ssl" with it';
    super({
      status: 422,
      code: "validation-failed",
      title: "The request is not valid",
      detail: `tls_fingerprint ${problem}`,
      errors: { tls_fingerprint: [problem] },
    });
  }
}

/** A router had to be asked and could not answer; the request is right and worth another try. */
class RouterUnavailableError extends DomainError {
  constructor(reason: string, cause: unknown) {
    super(
      { status: 502, code: "router-unavailable", title: "The router is not available", detail: reason },
      { cause },
    );
  }
}

/**
 * A live router is asked within a request.
 * @throws RouterUnavailableError what keeps it from answering; errors of the request itself stay what they are
 */
export async function askRouter<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new RouterUnavailableError(messageOf(error), error);
  }
}

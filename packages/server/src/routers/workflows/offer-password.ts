/** A new password for our user, as this router's rules for passwords want it. */
import { type RouterClient, TrapError } from "@portreeve/routeros";
import type { Login } from "../../credentials/index.ts";
import { isUnknown, NeedsAttentionError } from "../../reconcile/index.ts";
import { Secret } from "../../vault/index.ts";
import { setPassword } from "./install-user.ts";

/** Candidates tried in one run before a person is asked. */
const MAX_CANDIDATES = 3;
const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** A router may want symbols too (`/user/settings minimum-categories=4`); these need no quoting anywhere. */
const WITH_SYMBOLS = `${LETTERS_AND_DIGITS}-_.+`;

/**
 * Set the pending password on the router.
 * A reply that never came counts as "maybe": whoever proves the login finds out.
 * @param keep stores another candidate before the router hears of it
 * @returns the login whose password the router took, or may have taken
 * @throws NeedsAttentionError the router refused every candidate; the old login is still valid
 */
export async function offerPassword(
  client: RouterClient,
  pending: Login,
  keep: (candidate: Login) => Promise<void>,
  signal: AbortSignal,
): Promise<Login> {
  let candidate = pending;
  for (let tries = 1; ; tries++) {
    try {
      await setPassword(client, candidate, signal);
      return candidate;
    } catch (error) {
      if (isUnknown(error)) return candidate;
      if (!(error instanceof TrapError)) throw error;
      if (tries === MAX_CANDIDATES) {
        throw new NeedsAttentionError(
          `the router refuses new passwords (${error.message}); the old login stays in use`,
        );
      }
      candidate = { ...pending, password: strongPassword(pending.password.reveal().length) };
      await keep(candidate);
    }
  }
}

/** A password with an upper-case letter, a lower-case letter, a digit and a symbol. */
function strongPassword(length: number): Secret {
  for (;;) {
    const candidate = Secret.generate(length, WITH_SYMBOLS);
    const text = candidate.reveal();
    if ([/[A-Z]/, /[a-z]/, /[0-9]/, /[-_.+]/].every((category) => category.test(text))) return candidate;
  }
}

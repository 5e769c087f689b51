import { refusals } from "./refusal.ts";
import type { Router } from "./router.ts";
import type { RouterState } from "./state-file.ts";

/** The undo history holds so many actions; a change more, and safe mode ends without taking anything back. */
const MAX_CHANGES = 100;

interface Held {
  readonly session: string;
  readonly tables: RouterState["tables"];
  changes: number;
}

/**
 * Safe mode: held by one session, it covers the changes of all. Released, they stay; unrolled, or when the session is
 * gone, everything is as it was when it was taken. Source: manual, "Console", safe mode.
 */
export class SafeMode {
  readonly #router: Router;
  readonly #restore: (tables: RouterState["tables"]) => Promise<void>;
  #held: Held | undefined;

  constructor(router: Router, restore: (tables: RouterState["tables"]) => Promise<void>) {
    this.#router = router;
    this.#restore = restore;
  }

  get holder(): string | undefined {
    return this.#held?.session;
  }

  /** @throws Refusal when a session holds it already */
  take(session: string): void {
    if (this.#held) throw refusals.failure("safe mode is already taken");
    this.#held = { session, tables: this.#router.state().tables, changes: 0 };
  }

  release(session: string): void {
    this.#requireHeldBy(session);
    this.#held = undefined;
  }

  async unroll(session: string): Promise<void> {
    const { tables } = this.#requireHeldBy(session);
    this.#held = undefined;
    await this.#router.exclusive(() => this.#restore(tables));
  }

  /** A change has been made. */
  changed(): void {
    if (!this.#held) return;
    this.#held.changes += 1;
    if (this.#held.changes > MAX_CHANGES) this.#held = undefined;
  }

  /** A session has ended, in whatever way. */
  sessionClosed(session: string): void {
    if (this.#held?.session === session) {
      this.unroll(session).catch((error) => process.emitWarning(error));
    }
  }

  #requireHeldBy(session: string): Held {
    if (this.#held?.session !== session) throw refusals.failure("safe mode is not taken by this session");
    return this.#held;
  }
}

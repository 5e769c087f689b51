/**
 * Connections to routers kept between runs. A login writes two lines into the router's log; one every period would
 * push everything else out of it. A kept connection also survives somebody closing the others.
 */
import type { Connected } from "./connect.ts";

/**
 * Milliseconds after which a login has to prove itself again: what somebody changed about our user on the router
 * shows by then at the latest.
 */
const MAX_AGE_MS = 15 * 60_000;

interface Kept extends Connected {
  /** What the connection was made with; another login or address needs another connection. */
  readonly key: string;
}

export class SessionPool {
  readonly #kept = new Map<string, Kept>();
  readonly #isOurs: (siteId: string) => boolean;

  /** @param isOurs this process works for the site; a connection to another's router is never kept */
  constructor(isOurs: (siteId: string) => boolean) {
    this.#isOurs = isOurs;
  }

  /** Take the site's connection out of the pool; one that is too old or was made with something else is closed. */
  take(siteId: string, key: string): Connected | undefined {
    const kept = this.#kept.get(siteId);
    if (!kept) return undefined;
    this.#kept.delete(siteId);
    if (kept.key === key && performance.now() - kept.loggedInAt < MAX_AGE_MS) return kept;
    kept.client.close();
    return undefined;
  }

  /** Keep a connection for the site's next run. Where one is kept already that one is the younger, and stays. */
  give(siteId: string, key: string, connected: Connected): void {
    if (this.#kept.has(siteId) || !this.#isOurs(siteId)) {
      connected.client.close();
      return;
    }
    const kept = { ...connected, key };
    this.#kept.set(siteId, kept);
    void connected.client.closed.then(() => {
      if (this.#kept.get(siteId) === kept) this.#kept.delete(siteId);
    });
  }

  /** Close what is kept for these sites. */
  closeWhere(isConcerned: (siteId: string) => boolean): void {
    for (const [siteId, { client }] of this.#kept) {
      if (!isConcerned(siteId)) continue;
      this.#kept.delete(siteId);
      client.close();
    }
  }

  close(): void {
    for (const { client } of this.#kept.values()) client.close();
    this.#kept.clear();
  }
}

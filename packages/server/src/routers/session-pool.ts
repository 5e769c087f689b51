/**
 * Connections to routers kept between runs, for as long as they live. A login writes two lines into the router's log;
 * one every period would push everything else out of it.
 */
import type { Connected } from "./connect.ts";

interface Kept {
  readonly connected: Connected;
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

  /** The site's connection, which stays in the pool. */
  peek(siteId: string): Connected | undefined {
    return this.#kept.get(siteId)?.connected;
  }

  /** Take the site's connection out of the pool; one that was made with something else is closed. */
  take(siteId: string, key: string): Connected | undefined {
    const kept = this.#kept.get(siteId);
    if (!kept) return undefined;
    this.#kept.delete(siteId);
    if (kept.key === key) return kept.connected;
    kept.connected.client.close();
    return undefined;
  }

  /** Keep a connection for the site's next run. Where one is kept already that one is the younger, and stays. */
  give(siteId: string, key: string, connected: Connected): void {
    if (this.#kept.has(siteId) || !this.#isOurs(siteId)) connected.client.close();
    else this.#kept.set(siteId, { connected, key });
  }

  /** The connection has ended. */
  drop(siteId: string, connected: Connected): void {
    if (this.#kept.get(siteId)?.connected === connected) this.#kept.delete(siteId);
  }

  /** Close what is kept for these sites. */
  closeWhere(isConcerned: (siteId: string) => boolean): void {
    for (const [siteId, { connected }] of this.#kept) {
      if (!isConcerned(siteId)) continue;
      this.#kept.delete(siteId);
      connected.client.close();
    }
  }

  close(): void {
    this.closeWhere(() => true);
  }
}

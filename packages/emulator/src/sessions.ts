import { formatTime } from "./clock.ts";
import type { Router } from "./router.ts";
import { formatId, type Item, rowOf } from "./table.ts";

/** How a session reached the router, as `/user/active` names it. */
type Via = "api" | "ssh";

/** A logged-in user. Group policies are those of the moment of login unless the emulator is told to look again. */
export interface Session {
  readonly id: string;
  readonly username: string;
  readonly address: string;
  readonly via: Via;
  readonly group: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly policies: ReadonlySet<string>;
  /** Close the connection behind it. */
  readonly end: () => void;
}

/** The rows of `/user/active`. */
export class Sessions {
  readonly #router: Router;
  readonly #closed: (id: string) => void;
  readonly #sessions = new Map<string, Session>();
  #nextId = 1;

  /** @param closed told the id of a session that has ended, in whatever way */
  constructor(router: Router, closed: (id: string) => void) {
    this.#router = router;
    this.#closed = closed;
  }

  get all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  open(session: Omit<Session, "id" | "since">): Session {
    const opened = { ...session, id: formatId(this.#nextId++), since: this.#router.clock.now() };
    this.#sessions.set(opened.id, opened);
    this.#router.lastLogins.set(opened.username, formatTime(opened.since, this.#router.features.isoDates));
    this.#router.log("system,info,account", `user ${line(opened, "logged in")}`);
    this.#router.table("/user/active").announce({ kind: "changed", item: this.item(opened) });
    return opened;
  }

  /** Take the session off the list; called once its connection has gone. Safe twice. */
  close(session: Session): void {
    if (!this.#sessions.delete(session.id)) return;
    this.#closed(session.id);
    this.#router.log("system,info,account", `user ${line(session, "logged out")}`);
    this.#router.table("/user/active").announce({ kind: "removed", item: this.item(session) });
  }

  byId(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  endAll(which: (session: Session) => boolean): void {
    for (const session of this.all.filter(which)) session.end();
  }

  item(session: Session): Item {
    const values = rowOf({
      when: formatTime(session.since, this.#router.features.isoDates),
      name: session.username,
      address: session.address,
      via: session.via,
      group: session.group,
      radius: "false",
      "by-romon": "false",
    });
    return { id: session.id, values, dynamic: true };
  }
}

function line(session: Session, what: string): string {
  return `${session.username} ${what} from ${session.address} via ${session.via}`;
}

/**
 * A router between two readings, watched over the connection they were made on. What is heard is a hint, what is read
 * is the truth: of rows it keeps a digest, and it ends with its connection.
 */
import { createHash } from "node:crypto";
import { type RouterClient, type Row, TrapError } from "@portreeve/routeros";
import type { MenuRead, Observed } from "../../reconcile/index.ts";
import { observe } from "../api/observe.ts";
import { hearingDelay, readingPeriod, type Turn, turnOf } from "./schedule.ts";

/** How long a kept connection may take to answer before it is given up, milliseconds. */
export const KEPT_ANSWER_MS = 5_000;

const USERS = "/user";
/** What a heartbeat asks of our own user: with another of these it would no longer be what lets us in. */
const OWN_PROPERTIES = ["group", "address", "disabled"];
/** Of a menu that is read whole: a hint says that a row has changed, and not how. */
const HINT_PROPERTIES = [".id", "comment", "disabled"];
/** More changes of one menu in a minute are noise: it is read with those that can't be listened to. */
const MAX_HEARD_A_MINUTE = 30;
const MINUTE_MS = 60_000;
/** After so long without a sound, readings for nothing are forgotten, milliseconds. */
const QUIET_MS = 10 * MINUTE_MS;

export interface ConnectionWatchOptions {
  readonly client: RouterClient;
  /** Ours on the router. */
  readonly username: string;
  /** Something was heard, and a while was waited for more of it: a reading is due. */
  readonly onHeard: () => void;
}

/** How the router was at the last reading that had nothing left to do. */
/**
 * Listening takes no queries, so it tells of every row: of files with their contents, an operator's backups and the
 * keys among them. Only the files we ask for by name leave the router.
 */
const NEVER_LISTENED_TO = new Set(["/file"]);

interface Rest {
  readonly readAt: number;
  readonly readBytes: number;
  readonly own: Row;
  /** Menus that can't be listened to. */
  readonly unheard: readonly MenuRead[];
  /** By menu, of those and of the menus of which only some rows are read. */
  readonly digests: ReadonlyMap<string, string>;
}

export class ConnectionWatch {
  /** Whether each byte is paid for. */
  metered = false;
  readonly #options: ConnectionWatchOptions;
  readonly #heardOf = new Map<string, { minute: number; count: number }>();
  readonly #unheard = new Set<string>();
  /** What the last reading is about; changes of other menus, listened to before, mean nothing now. */
  #reads: readonly MenuRead[] = [];
  #rest: Rest | undefined;
  #readFrom = 0;
  #beatAt = 0;
  #unheardAt = 0;
  #isHeard = false;
  /** The menus something was heard of. */
  #hints = new Set<string>();
  #lastHeardAt = 0;
  #isReadForHeard = false;
  #fruitless = 0;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
    void options.client.closed.then(() => this.#stop());
  }

  /** A run begins; what it transfers from now on is what its reading costs. */
  begin(): void {
    this.#isReadForHeard = this.#isHeard;
    this.#rest = undefined;
    this.#stop();
    this.#readFrom = this.#bytes();
  }

  /** These menus are about to be read: listen to them from now on, so that nothing is missed in between. */
  listen(reads: readonly MenuRead[]): void {
    this.#isHeard = false;
    this.#hints.clear();
    this.#reads = reads;
    for (const read of reads) {
      const { menu } = read;
      if (this.#heardOf.has(menu) || this.#unheard.has(menu)) continue;
      if (NEVER_LISTENED_TO.has(menu)) {
        this.#unheard.add(menu);
        continue;
      }
      this.#heardOf.set(menu, { minute: 0, count: 0 });
      void this.#follow(read);
    }
  }

  /** The run has nothing left to do: until something is heard or a reading is due, a heartbeat is enough. */
  rest(observed: Observed): void {
    const { username } = this.#options;
    const own = observed.get(USERS)?.find(({ name }) => name === username);
    if (!own) return;
    const readAt = performance.now();
    const unheard = this.#reads.filter(({ menu }) => this.#unheard.has(menu) && observed.has(menu));
    const compared = [...unheard, ...this.#reads.filter(isPart)];
    const digests = new Map(compared.map(({ menu }) => [menu, digestOf(observed.get(menu))]));
    this.#rest = { readAt, readBytes: this.#bytes() - this.#readFrom, own: ownPart(own), unheard, digests };
    this.#beatAt = this.#unheardAt = readAt;
    this.#fruitless = this.#isReadForHeard ? this.#fruitless + 1 : 0;
    if (this.#isHeard) this.#gather();
  }

  /** What is to be done now. */
  turn(): Turn {
    const rest = this.#rest;
    if (!rest) return "reading";
    const { metered } = this;
    const heard = this.#isHeard && !this.#gathering;
    const unheardAt = rest.unheard.length > 0 ? this.#unheardAt : undefined;
    return turnOf({ ...rest, metered, heard, beatAt: this.#beatAt, unheardAt }, performance.now());
  }

  /**
   * Ask the router whether it is there and still has our user as it was.
   * @param alsoUnheard and whether the menus that can't be listened to are as they were
   * @returns false: something has changed
   * @throws the errors of `RouterClient.print`
   */
  async beat(alsoUnheard: boolean, signal: AbortSignal): Promise<boolean> {
    const rest = this.#rest;
    if (!rest) return false;
    const { client, username } = this.#options;
    const queries = [`?name=${username}`];
    const asked = { proplist: OWN_PROPERTIES, queries, timeoutMs: KEPT_ANSWER_MS, signal };
    const [own] = await client.print(USERS, asked);
    if (!own || Object.entries(rest.own).some(([name, value]) => own[name] !== value)) return false;
    this.#beatAt = performance.now();
    if (!alsoUnheard) return true;
    if (!(await this.#areAsBefore(rest, rest.unheard, signal))) return false;
    this.#unheardAt = performance.now();
    return true;
  }

  async #follow({ menu, prints }: MenuRead): Promise<void> {
    const proplist = [...new Set(prints.flatMap((print) => print.proplist ?? HINT_PROPERTIES))];
    try {
      // Without queries: RouterOS tells nothing of removed rows where there are any.
      for await (const _row of this.#options.client.listen(menu, { proplist })) {
        if (this.#isNoise(menu)) break;
        this.#hear(menu);
      }
    } catch (error) {
      if (!(error instanceof TrapError)) return; // the connection has ended, and the watch with it
    }
    this.#heardOf.delete(menu);
    this.#unheard.add(menu);
    if (this.#rest) this.#hear(menu); // how it was is not among what is compared
  }

  #isNoise(menu: string): boolean {
    const heard = this.#heardOf.get(menu);
    if (!heard) return true;
    const minute = Math.floor(performance.now() / MINUTE_MS);
    heard.count = heard.minute === minute ? heard.count + 1 : 1;
    heard.minute = minute;
    return heard.count > MAX_HEARD_A_MINUTE;
  }

  #hear(menu: string): void {
    if (!this.#reads.some((read) => read.menu === menu)) return;
    const now = performance.now();
    if (now - this.#lastHeardAt > QUIET_MS) this.#fruitless = 0;
    this.#lastHeardAt = now;
    this.#isHeard = true;
    this.#hints.add(menu);
    if (this.#rest) this.#gather();
  }

  async #areAsBefore(rest: Rest, reads: readonly MenuRead[], signal: AbortSignal): Promise<boolean> {
    const observed = await observe(this.#options.client, reads, signal);
    return reads.every(({ menu }) => digestOf(observed.get(menu)) === rest.digests.get(menu));
  }

  /** In a menu of which we read some rows it was probably another: those rows will tell, for fewer bytes than all. */
  async #lookAtHints(): Promise<void> {
    const rest = this.#rest;
    const parts = this.#reads.filter((read) => this.#hints.has(read.menu) && isPart(read));
    if (!rest || parts.length < this.#hints.size) return this.#options.onHeard();
    this.#isHeard = false;
    this.#hints.clear();
    const limit = AbortSignal.timeout(KEPT_ANSWER_MS);
    const isSame = await this.#areAsBefore(rest, parts, limit).catch(() => false);
    if (this.#rest !== rest) return; // a run has read them meanwhile
    if (isSame) {
      this.#fruitless += 1;
      return;
    }
    this.#isHeard = true;
    this.#options.onHeard();
  }

  #gather(): void {
    const { metered } = this;
    const period = readingPeriod({ metered, readBytes: this.#rest?.readBytes ?? 0 });
    this.#gathering ??= setTimeout(
      () => {
        this.#gathering = undefined;
        void this.#lookAtHints();
      },
      hearingDelay(this.#fruitless, period),
    ).unref();
  }

  #stop(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
  }

  #bytes(): number {
    const { bytesRead, bytesWritten } = this.#options.client;
    return bytesRead + bytesWritten;
  }
}

function ownPart(row: Row): Row {
  const names = OWN_PROPERTIES.filter((name) => row[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, row[name] as string]));
}

/** Only some rows of the menu are read. */
function isPart({ prints }: MenuRead): boolean {
  return prints.every(({ queries }) => queries.length > 0);
}

function digestOf(rows: readonly Row[] | undefined): string {
  return createHash("sha256")
    .update(JSON.stringify(rows ?? null))
    .digest("base64");
}

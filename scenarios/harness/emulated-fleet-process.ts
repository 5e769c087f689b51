/** The process of `EmulatedFleet`: watches its routers and answers what they have seen. */
import { type Emulator, startFleet } from "@portreeve/emulator";
import type { FleetRequest, RouterSeen } from "./emulated-fleet.ts";

/** Between two looks at the routers, milliseconds. */
const LOOK_MS = 100;
const OUR_USER = "portreeve-api";
/** A heartbeat reads our own user once, and so does a reading. */
const READ_BY_EVERY_CHECK = "/user/print";

class Watched {
  readonly #router: Emulator;
  #last: unknown;
  #checks: number[] = [];
  #sessions = 0;
  #mostSessions = 0;

  constructor(router: Emulator) {
    this.#router = router;
  }

  look(now: number): void {
    const lines = this.#router.control.transcript();
    for (const { direction, words } of lines.slice(lines.lastIndexOf(this.#last as never) + 1))
      if (direction === "in" && words[0] === READ_BY_EVERY_CHECK) this.#checks.push(now);
    this.#last = lines.at(-1);
    this.#sessions = this.#router.control.sessions().filter(({ username }) => username === OUR_USER).length;
    this.#mostSessions = Math.max(this.#mostSessions, this.#sessions);
  }

  reset(): void {
    this.#checks = [];
    this.#mostSessions = this.#sessions;
  }

  get seen(): RouterSeen {
    return {
      address: this.#router.address,
      checks: this.#checks,
      sessions: this.#sessions,
      mostSessions: this.#mostSessions,
    };
  }
}

const options = JSON.parse(process.argv[2] ?? "{}") as Parameters<typeof startFleet>[0];
const fleet = await startFleet({ ...options, transcriptLines: 500, version: "7.18" });
const watched = fleet.routers.map((router) => new Watched(router));
const timer = setInterval(() => {
  const now = Date.now();
  for (const router of watched) router.look(now);
}, LOOK_MS);

process.on("message", async (request: FleetRequest) => {
  if (request === "seen") process.send?.(watched.map(({ seen }) => seen));
  if (request === "reset") {
    for (const router of watched) router.reset();
    process.send?.("done");
  }
  if (request === "close") {
    clearInterval(timer);
    await fleet.close();
    process.disconnect();
  }
});
process.on("disconnect", () => process.exit());
process.send?.("ready");

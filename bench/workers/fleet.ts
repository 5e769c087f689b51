/** Emulated routers in a process of their own. The last of them keeps a transcript of what it was told. */
import {
  type Emulator,
  type Fleet,
  startEmulator,
  startFleet,
  type TranscriptLine,
} from "@portreeve/emulator";
import { password, username } from "../clients/index.ts";
import { serveTasks } from "../worker.ts";

const VERSION = "7.18";

let fleet: Fleet;
let witness: Emulator;
let seen = 0;

serveTasks({
  /** @returns the addresses of the routers' APIs, the witness's last */
  async start({ count, firstAddress }: { count: number; firstAddress: string }) {
    const options = { version: VERSION, username, password };
    fleet = await startFleet({ ...options, count: count - 1, firstAddress });
    const address = firstAddress.replace(/^127\.\d+\./, "127.250.");
    witness = await startEmulator({ ...options, address, listen: ["api"], identity: "witness" });
    const routers = [...fleet.routers, witness];
    return routers.map((router) => ({ address: router.address, port: router.port("api") }));
  },

  /** What the witness was told since it was last asked, by connection. */
  told(): string[][][] {
    const lines = witness.control.transcript().slice(seen);
    seen += lines.length;
    const told = lines.filter(({ direction }: TranscriptLine) => direction === "in");
    const byConnection = Map.groupBy(told, ({ connection }) => connection);
    return [...byConnection.values()].map((sentences) => sentences.map(({ words }) => [...words]));
  },
});

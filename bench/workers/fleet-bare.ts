/** The bare loop: the sentences that a router was told, sent to every router, and nothing else done. */
import { RouterClient } from "@portreeve/routeros";
import { password, username } from "../clients/index.ts";
import { serveTasks } from "../worker.ts";

/** Routers at a time: as many as a reconciler's process has at work. */
const AT_ONCE = 32;

interface Target {
  readonly address: string;
  readonly port: number;
}

serveTasks({
  /**
   * @param told sentences by connection, as one router was told them
   * @returns seconds of wall time and of this process's CPU
   */
  async send({ routers, told }: { routers: readonly Target[]; told: readonly string[][][] }) {
    const waiting = routers.values();
    const before = process.cpuUsage();
    const start = performance.now();
    const work = async () => {
      for (const router of waiting) for (const sentences of told) await converse(router, sentences);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
  },
});

/** One connection: the login where the router was logged in to on it, and its sentences in their order. */
async function converse({ address: host, port }: Target, sentences: readonly string[][]): Promise<void> {
  await using client = await RouterClient.connect({ host, port, username, password });
  for (const words of sentences) {
    const command = words.filter((word) => !word.startsWith(".tag="));
    if (command[0] === "/login" || command[0] === "/cancel" || command[0]?.endsWith("/listen")) continue;
    // A row that is not there is refused: the exchange has been had all the same.
    await client.run(command).catch(() => {});
  }
}

/**
 * Processes of roles that an earlier supervisor left running: it was killed while one of them was stopped or busy.
 * They hold ports and routers, so they end before another start.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** @returns what the processes of this data directory's roles carry among their arguments, whoever started them */
export async function markOf(dataDir: string): Promise<string> {
  const { dev, ino } = await stat(dataDir);
  return `portreeve-role-${dev}-${ino}`;
}

/**
 * Kill every process that carries the mark and wait until it is gone. Only whoever holds the data directory may call
 * this: no living supervisor's processes are among them then.
 * @returns how many there were
 */
export async function endLeftovers(mark: string): Promise<number> {
  const pids = await withMark(mark);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended between the look and the signal
    }
  }
  for (let left = pids; left.length > 0; left = await withMark(mark)) await delay(10);
  return pids.length;
}

/** Source: proc_pid_cmdline(5): arguments separated by NUL; empty for a process that has ended and waits to be reaped. */
async function withMark(mark: string): Promise<number[]> {
  const pids = await readdir("/proc").catch(() => []); // without /proc (macOS) nothing is found
  const carrying = await Promise.all(
    pids.map(async (pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      return words.includes(mark) ? [Number(pid)] : [];
    }),
  );
  return carrying.flat();
}

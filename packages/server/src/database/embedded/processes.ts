import { readdir, readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** How long each way of asking may take before the next, harder one, milliseconds. */
const STOP_STAGES: { signal: NodeJS.Signals; waitMs: number }[] = [
  { signal: "SIGINT", waitMs: 20_000 }, // "fast": roll back, write a checkpoint, end
  { signal: "SIGQUIT", waitMs: 10_000 }, // "immediate": end; the next start replays the log
  { signal: "SIGKILL", waitMs: 5_000 },
];

interface ServerProcess {
  pid: number;
  parent: number;
}

/**
 * The `cluster_name` a server in this directory runs with. It stands in the postmaster's arguments and in the title
 * of each of its children, so it names our processes where every user may read: a process's executable and working
 * directory would be stronger proof, but root in a container may not read those of another user.
 */
export async function clusterName(clusterDir: string): Promise<string> {
  const { dev, ino } = await stat(clusterDir);
  return `portreeve-${dev}-${ino}`;
}

/**
 * The PostgreSQL processes of the cluster, the postmaster and its children: those called postgres, of the cluster's
 * owner, that carry its name. Process ids in files are not asked: after a crash one may belong to anybody.
 */
async function findServerProcesses(clusterDir: string): Promise<ServerProcess[]> {
  const { uid } = await stat(clusterDir);
  const name = await clusterName(clusterDir);
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map((pid) => readProcess(pid, uid, name)));
  return found.filter((process) => process !== undefined);
}

/** Source: proc_pid_status(5): `Name`, `PPid`, and `Uid` whose first number is the real user id. */
async function readProcess(pid: string, uid: number, name: string): Promise<ServerProcess | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "latin1");
    const field = (key: string) => status.match(new RegExp(`^${key}:\\s+(\\S+)`, "m"))?.[1];
    if (field("Name") !== "postgres" || Number(field("Uid")) !== uid) return undefined;
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split(/[\0 :=]/);
    return words.includes(name) ? { pid: Number(pid), parent: Number(field("PPid")) } : undefined;
  } catch {
    return undefined; // it ended meanwhile
  }
}

/**
 * End every PostgreSQL process of the cluster and wait until none is left.
 * Only the top process is asked (the postmaster ends its own children); when the postmaster is gone, its orphans are
 * at the top themselves.
 * @returns true when there was one
 * @throws Error one outlived even SIGKILL
 */
export async function stopServerProcesses(clusterDir: string): Promise<boolean> {
  let running = await findServerProcesses(clusterDir);
  if (running.length === 0) return false;
  for (const { signal, waitMs } of STOP_STAGES) {
    const ids = new Set(running.map(({ pid }) => pid));
    for (const { pid, parent } of running) if (!ids.has(parent)) signalIfAlive(pid, signal);
    for (const end = performance.now() + waitMs; performance.now() < end && running.length > 0; ) {
      await sleep(20);
      running = await findServerProcesses(clusterDir);
    }
    if (running.length === 0) return true;
  }
  throw new Error(
    `PostgreSQL processes in ${clusterDir} do not end: ${running.map(({ pid }) => pid).join(", ")}`,
  );
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended between the look and the signal
  }
}

import { readFile, readlink } from "node:fs/promises";

/**
 * Names what process ids are unique in: this boot of this host and this namespace of processes. Undefined where the
 * system does not tell (it is not Linux).
 */
export async function hostId(): Promise<string | undefined> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    return `${boot.trim()} ${await readlink("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/** True when no process has this id here. An id that was given to another process counts as living. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

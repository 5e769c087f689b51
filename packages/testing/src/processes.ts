/**
 * What this process and its children have open, as Linux tells it; on other systems nothing is told.
 * Source: proc_pid_fd(5), proc_pid_stat(5), proc_pid_cwd(5), proc_pid_net(5).
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Answer of the work, undefined when what it reads has gone meanwhile or is another user's. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Inodes of the sockets this process has open: connections, listeners, pipes to children. */
export function openSockets(): Set<string> {
  const names = tried(() => readdirSync("/proc/self/fd")) ?? [];
  const targets = names.map((name) => tried(() => readlinkSync(`/proc/self/fd/${name}`)) ?? "");
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}

/** Field of the inode in a line of each table, and of what tells sockets apart. */
const TABLES = [
  { file: "tcp", inode: 9, shown: [1, 2, 3] },
  { file: "tcp6", inode: 9, shown: [1, 2, 3] },
  { file: "udp", inode: 9, shown: [1, 2] },
  { file: "udp6", inode: 9, shown: [1, 2] },
  { file: "unix", inode: 6, shown: [7] },
] as const;

/** Source: Linux, include/net/tcp_states.h. */
const TCP_STATES: Readonly<Record<string, string>> = {
  "01": "connected",
  "02": "connecting",
  "06": "closing",
  "07": "closed",
  "08": "left by the other side",
  "0A": "listening",
};

/** What an open socket is, in one line. */
export function describeSocket(inode: string): string {
  for (const { file, inode: field, shown } of TABLES) {
    const lines = (tried(() => readFileSync(`/proc/self/net/${file}`, "utf8")) ?? "").split("\n");
    const line = lines.map((one) => one.trim().split(/\s+/)).find((fields) => fields[field] === inode);
    if (line) return [file, ...shown.map((index) => readable(line[index] ?? "without a name"))].join(" ");
  }
  return "a socket without an address";
}

/** An address such as `0100007F:1F90` as `127.0.0.1:8080`, a state in words; anything else as it is. */
function readable(field: string): string {
  const [, address, port] = /^([0-9A-F]{8}):([0-9A-F]{4})$/.exec(field) ?? [];
  if (address && port)
    return `${Buffer.from(address, "hex").reverse().join(".")}:${Number.parseInt(port, 16)}`;
  return TCP_STATES[field] ?? field;
}

/** Processes that this one started, or that work in a directory below the given one, in one line each. */
export function processesOf(directory: string): string[] {
  const ids = (tried(() => readdirSync("/proc")) ?? []).filter((name) => /^\d+$/.test(name));
  return ids.flatMap((id) => {
    if (id === String(process.pid)) return [];
    // Behind the name, which may have brackets and blanks in it: state, then the parent's id.
    const stat = tried(() => readFileSync(`/proc/${id}/stat`, "utf8")) ?? "";
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const isChild = parent === String(process.pid);
    const works = tried(() => readlinkSync(`/proc/${id}/cwd`))?.startsWith(`${directory}/`) ?? false;
    if (state === "Z" || (!isChild && !works)) return [];
    const command = tried(() => readFileSync(`/proc/${id}/cmdline`, "utf8")) ?? "";
    return [`process ${id}: ${command.replaceAll("\0", " ").slice(0, 200)}`];
  });
}

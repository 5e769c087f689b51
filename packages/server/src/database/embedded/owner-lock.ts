import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { AlreadyRunningError } from "./errors.ts";

/** A holder that lives answers at once; one that is stopped does not, milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;

/**
 * One Portreeve per data directory. The lock is a listening socket in Linux's abstract namespace, named after the
 * directory's device and inode: the kernel grants it to one process and takes it back when that process ends, however
 * it ends, so there is no stale lock file to interpret and no process id to mistake. Whoever connects is told our pid.
 * Limit: the namespace ends at a container's network namespace; two containers must not share a data directory.
 * @param dataDir what an error calls the place
 * @throws AlreadyRunningError
 */
export async function lockDirectory(directory: string, dataDir: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(directory);
  const name = `\0portreeve-${createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 32)}`;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(String(process.pid));
  });
  try {
    await listen(server, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE")
      throw new AlreadyRunningError(dataDir, await askHolder(name));
    throw error;
  }
  server.unref();
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, () => resolve());
  });
}

async function askHolder(path: string): Promise<number | undefined> {
  const socket = connect({ path, timeout: ANSWER_TIMEOUT_MS });
  socket.on("timeout", () => socket.destroy());
  const answer = await text(socket).catch(() => "");
  return /^\d+$/.test(answer) ? Number(answer) : undefined;
}

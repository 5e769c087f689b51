import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";

/** Another gateway, on this host, uses the state directory. */
export class StateDirInUseError extends Error {
  override readonly name = "StateDirInUseError";
  readonly code = "state-dir-in-use";

  constructor(directory: string) {
    super(`${directory} is used by another gateway that runs`);
  }
}

/**
 * One gateway per state directory, so that who shows a journal proves that the process which wrote it is gone. The lock
 * is a listening socket in Linux's abstract namespace, named after the directory's device and inode: the kernel takes it
 * back when the process ends, however it ends, and a stopped process keeps it.
 * Limit: the namespace ends at a container's network namespace; two containers must not share a state directory.
 * @throws StateDirInUseError
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(directory);
  const name = createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error: NodeJS.ErrnoException) =>
    reject(error.code === "EADDRINUSE" ? new StateDirInUseError(directory) : error),
  );
  server.listen({ path: `\0portreeve-gateway-${name}` }, resolve);
  await promise;
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) };
}

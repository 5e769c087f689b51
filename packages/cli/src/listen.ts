/** Whether an address can be listened on, and what to say when it can't. */
import { createServer } from "node:net";

/** System error -> what it means for the person who chose the address. */
const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is already in use",
  EADDRNOTAVAIL: "is not an address of this machine",
  EACCES: "may not be opened by this user",
  ENOTFOUND: "can't be resolved",
  EAI_AGAIN: "can't be resolved",
};

/** @returns what is against it, or undefined when the error has nothing to do with listening */
export function listenProblem(error: unknown): string | undefined {
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  return syscall === "listen" || syscall === "getaddrinfo" ? PROBLEMS[code] : undefined;
}

/**
 * Listen for a moment.
 * @param port 0 for any free one
 * @returns the port it was
 * @throws the system's error
 */
export async function probeListen(host: string, port: number): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port, exclusive: true }, resolve);
  await promise;
  const address = server.address();
  const closed = new Promise((done) => server.close(done));
  await closed;
  return typeof address === "object" && address ? address.port : port;
}

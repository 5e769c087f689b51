/** A start that fails says in one line which setting to change. */
import { createServer } from "node:net";
import type { Config } from "@portreeve/server";
import { explain, OperatorError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** System error -> what to say about the address given as PORTREEVE_HTTP. */
const ADDRESS_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is already in use; stop the program that uses it, or choose another port (0 for any free one)",
  EADDRNOTAVAIL: "is not an address of this machine; choose one of its addresses, or 0.0.0.0 for all",
  EACCES: "may not be opened by this user; choose a port from 1024 up",
  ENOTFOUND: "can't be resolved; write an IP address",
  EAI_AGAIN: "can't be resolved; write an IP address",
};

/**
 * Can API and portal listen there? Asked before anything else is started, because a first start that fails later has
 * made its bootstrap token already.
 * @throws the system's error
 */
export async function checkHttpAddress({ host, port }: Config["http"]): Promise<void> {
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.once("error", reject);
  probe.listen({ host, port }, resolve);
  await promise;
  probe.close();
}

/**
 * Run a start; what goes wrong comes out as a line for the operator.
 * @throws OperatorError
 */
export async function explainStart<Started>(
  environment: Environment,
  start: () => Promise<Started>,
): Promise<Started> {
  try {
    return await start();
  } catch (error) {
    throw new OperatorError(startProblem(error, environment), { cause: error });
  }
}

export function startProblem(error: unknown, environment: Environment): string {
  const { code = "", syscall, path } = error as NodeJS.ErrnoException;
  const problem = ADDRESS_PROBLEMS[code];
  if (problem !== undefined && (syscall === "listen" || syscall === "getaddrinfo")) {
    return `PORTREEVE_HTTP: ${environment.PORTREEVE_HTTP ?? "127.0.0.1:8080"} ${problem}`;
  }
  if (path !== undefined && syscall !== "spawn") {
    return `PORTREEVE_DATA_DIR: ${path} can't be used (${code}); choose a directory this user may write to`;
  }
  return explain(error);
}

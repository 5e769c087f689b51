import { execFile, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Account } from "./account.ts";

/** First descriptor after stdin, stdout and stderr. */
const FIRST_HANDLE = 3;

export interface ServerCommand {
  readonly stderr: Readable;
  /** How it ended, once it has: undefined for success, else in words. */
  readonly ended: Promise<string | undefined>;
}

/**
 * Start one of the server's programs, under `account` when given, in a process group of its own (Ctrl-C reaches only
 * us) and, where util-linux is installed, bound to end with us even on SIGKILL.
 * @param build makes the arguments; it passes each path through `reach`. Under another account our directories are
 *   private, perhaps below root's home, so the program gets them as open descriptors: /proc/self/fd/N leads to the
 *   directory itself and asks nothing of the way there.
 * @throws what opening a path throws
 */
export async function startCommand(
  program: string,
  account: Account | undefined,
  build: (reach: (path: string) => Promise<string>) => Promise<string[]>,
): Promise<ServerCommand> {
  await using handles = new AsyncDisposableStack();
  const descriptors: number[] = [];
  const reach = async (path: string) => {
    if (!account) return path;
    const handle: FileHandle = handles.use(await open(path, "r"));
    return `/proc/self/fd/${FIRST_HANDLE + descriptors.push(handle.fd) - 1}`;
  };
  const [command = program, ...words] = [...(await endWithUs()), program, ...(await build(reach))];
  const child = spawn(command, words, {
    detached: true,
    cwd: "/",
    env: { LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "ignore", "pipe", ...descriptors],
    ...account,
  });
  // Before anything is waited for: it may end while the descriptors are being closed here.
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`),
    );
  });
  return { stderr: child.stderr as Readable, ended };
}

/** The kernel sends SIGINT (PostgreSQL: fast shutdown) when the thread that started the program ends. */
const DEATH_SIGNAL = ["setpriv", "--pdeathsig", "INT", "--"];

async function endWithUs(): Promise<string[]> {
  const [setpriv = "", ...words] = DEATH_SIGNAL;
  try {
    await promisify(execFile)(setpriv, [...words, "true"]);
    return DEATH_SIGNAL;
  } catch {
    return []; // not installed, or without the option: the next start finds what was left
  }
}

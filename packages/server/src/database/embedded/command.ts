import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Account } from "./account.ts";

/** First descriptor after stdin, stdout and stderr. */
const FIRST_HANDLE = 3;

export type ServerCommand = ChildProcessByStdio<null, null, Readable>;

/**
 * Start one of the server's programs, under `account` when given, in a process group of its own (Ctrl-C reaches only
 * us) and, where util-linux is installed, bound to end with us even on SIGKILL.
 * @param build makes the arguments; it passes each path through `reach`. Under another account our directories are
 *   private, perhaps below root's home, so the program gets them as open descriptors: /proc/self/fd/N leads to the
 *   directory itself and asks nothing of the way there.
 * @throws what opening a path throws; a program that cannot be started emits `error`
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
  return spawn(command, words, {
    detached: true,
    cwd: "/",
    env: { LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "ignore", "pipe", ...descriptors],
    ...account,
  }) as ServerCommand;
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

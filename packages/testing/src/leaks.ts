/**
 * Loaded before each test file: a file that leaves something behind fails, and is told what. Looked for are sockets and
 * servers, child processes, files in the temporary directory, and what was reported with `hold`.
 */
import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { aroundAll } from "vitest";
import { everythingHeld } from "./held.ts";
import { describeSocket, openSockets, processesOf } from "./processes.ts";

/** What is being closed is gone after this long on a busy machine, milliseconds. */
const GRACE_MS = 3_000;
/** Between two looks, milliseconds. */
const PAUSE_MS = 10;

const before = openSockets();
const formerTmpdir = process.env.TMPDIR;
/** The file's own, so that what is in it is the file's. */
const directory = mkdtempSync(join(realpathSync(tmpdir()), "portreeve-"));
// As open as the one it stands in, for programs that run under an account of their own.
chmodSync(directory, 0o755);
process.env.TMPDIR = directory;
// npm and tsc would keep theirs there, for the next start.
process.env.NODE_DISABLE_COMPILE_CACHE = "1";

aroundAll(async (runFile) => {
  await runFile();
  await closeFetch();
  const end = performance.now() + GRACE_MS;
  let left = leftBehind();
  while (left.length > 0 && performance.now() < end) {
    await delay(PAUSE_MS);
    left = leftBehind();
  }
  rmSync(directory, { recursive: true, force: true });
  if (formerTmpdir === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = formerTmpdir;
  if (left.length > 0) throw new Error(`this file leaves behind:\n${left.join("\n")}`);
});

function leftBehind(): string[] {
  const sockets = [...openSockets()].filter((inode) => !before.has(inode)).map(describeSocket);
  const files = readdirSync(directory).map((name) => join(directory, name));
  return [...sockets, ...processesOf(directory), ...files, ...everythingHeld()];
}

/** Connections that `fetch` keeps for the next request belong to nobody. */
async function closeFetch(): Promise<void> {
  const agent: unknown = Reflect.get(globalThis, Symbol.for("undici.globalDispatcher.1"));
  if (agent && typeof agent === "object" && "destroy" in agent && typeof agent.destroy === "function")
    await agent.destroy();
}

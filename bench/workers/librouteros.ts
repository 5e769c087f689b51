/** python3-librouteros behind the tasks of `client.ts`, as far as it has them: one command at a time. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { password, username } from "../clients/index.ts";
import { ATTRIBUTES, MENU, ROWS, SMALL_MENU } from "../menu.ts";
import { serveTasks } from "../worker.ts";

const script = fileURLToPath(new URL("../clients/librouteros-client.py", import.meta.url));
// Debian's package belongs to Debian's Python. It ends when its input does, so with this process.
const python = spawn("/usr/bin/python3", [script], { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

async function ask(task: string, input: object): Promise<unknown> {
  python.stdin.write(`${JSON.stringify({ task, input })}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error("Python died");
  return JSON.parse(value);
}

serveTasks({
  connect: ({ port }: { port: number }) => ask("connect", { port, username, password }),
  rows: ({ milliseconds }: { milliseconds: number }) =>
    ask("rows", { milliseconds, menu: MENU, rows: ROWS, attributes: ATTRIBUTES }),
  commands: ({ milliseconds }: { milliseconds: number }) =>
    ask("commands", { milliseconds, menu: SMALL_MENU }),
});

/** Passwords come from a file, standard input or a prompt, never from the command line, which every process can read. */
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { OperatorError } from "./errors.ts";

/**
 * A text from a file, `-` for standard input.
 * @throws OperatorError the file can't be read
 */
export async function readInput(path: string): Promise<string> {
  try {
    return path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (error) {
    throw new OperatorError(`${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The first line of a file, `-` for standard input. */
export async function readPassword(path: string): Promise<string> {
  const [line = ""] = (await readInput(path)).split(/\r?\n/, 1);
  return line;
}

/**
 * Ask at the terminal, without showing what is typed.
 * @throws OperatorError there is no terminal
 */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new OperatorError(
      "there is no terminal to ask for the password: give --password-file <file>, - for standard input",
    );
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const cancelled = new AbortController();
  prompt.once("SIGINT", () => cancelled.abort());
  process.stderr.write(question);
  try {
    return await prompt.question("", { signal: cancelled.signal });
  } catch (error) {
    throw cancelled.signal.aborted ? new OperatorError("cancelled") : error;
  } finally {
    prompt.close();
    process.stderr.write("\n");
  }
}

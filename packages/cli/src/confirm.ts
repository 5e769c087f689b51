import { createInterface } from "node:readline/promises";
import { OperatorError } from "./errors.ts";

/**
 * Ask at the terminal before something is done; only `y` or `yes` is a yes.
 * @param remedy what to give where there is no terminal
 * @throws OperatorError no was said, or there is no terminal
 */
export async function confirm(question: string, remedy: string): Promise<void> {
  if (!process.stdin.isTTY) throw new OperatorError(`there is no terminal to ask at: ${remedy}`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const cancelled = new AbortController();
  for (const event of ["SIGINT", "close"]) prompt.once(event, () => cancelled.abort());
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal: cancelled.signal });
    if (/^\s*y(es)?\s*$/i.test(answer)) return;
  } catch (error) {
    if (!cancelled.signal.aborted) throw error;
  } finally {
    prompt.close();
  }
  throw new OperatorError("cancelled; nothing was changed");
}

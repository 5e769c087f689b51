/** Runs a command line to its exit code; whatever it throws becomes one line on stderr. */
import { type Command, CommanderError } from "commander";
import { explain } from "./errors.ts";

/**
 * @param argv as `process.argv` is: interpreter and script first
 * @returns exit code: 0 done, 1 failed, with the reason on stderr; or what the command has set (plan: 2)
 */
export async function runProgram(program: Command, argv: readonly string[]): Promise<number> {
  process.stdout.on("error", endOnClosedPipe);
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // commander has written its own line
    process.stderr.write(`portreeve: ${explain(error)}\n`);
    if (process.env.PORTREEVE_LOG_LEVEL === "debug" && error instanceof Error) console.error(error);
    return 1;
  } finally {
    process.stdout.off("error", endOnClosedPipe);
  }
}

/** `portreeve sites list | head` closes our output early; that is no fault. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
}

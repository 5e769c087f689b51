/** A start that fails says in one line which setting to change. */
import { explain, OperatorError } from "../errors.ts";
import { listenProblem } from "../listen.ts";

type Environment = Readonly<Record<string, string | undefined>>;

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

/** One line, led by the setting to change where that is known. */
function startProblem(error: unknown, environment: Environment): string {
  const problem = listenProblem(error);
  if (problem !== undefined) {
    const given = environment.PORTREEVE_HTTP ?? "127.0.0.1:8080";
    return `PORTREEVE_HTTP: ${given} ${problem}; choose another address:port (port 0: any free one)`;
  }
  const { code = "", path, syscall } = error as NodeJS.ErrnoException;
  // PostgreSQL's own codes: 28… the login is refused, 3D… there is no such database.
  if (/^(28|3D)\w{3}$/.test(code)) return `DATABASE_URL: ${explain(error)}`;
  if (path !== undefined && syscall !== undefined && syscall !== "spawn") {
    return `PORTREEVE_DATA_DIR: ${path} can't be used (${code}); choose a directory this user may write to`;
  }
  return explain(error);
}

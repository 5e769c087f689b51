import { type DestinationStream, type Logger, pino } from "pino";

/** Field names that hold secrets, at the top of a log line and up to two levels below. The second net: the first is
 *  that such a value is a Secret. */
const SECRET_FIELDS = ["password", "token", "secret", "authorization", "cookie", "private_key"];

/** Longest chain of causes a log line shows; a cycle ends there too. */
const MAX_CAUSES = 8;

/**
 * The server's logger: JSON lines, errors with their chain of causes, secret fields removed.
 * @param destination standard output unless given
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: "[redacted]",
      },
      serializers: { err: describeError },
    },
    ...(destination ? [destination] : []),
  );
}

/**
 * An error as a log line shows it. Chosen fields only: errors of libraries carry whole requests, queries and rows.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? error : { type: typeof error };
  return {
    type: error.name,
    message: error.message,
    ...("code" in error ? { code: String(error.code) } : {}),
    stack: error.stack,
    ...(error.cause !== undefined && depth < MAX_CAUSES
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
}

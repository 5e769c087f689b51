/** What this folder asks of a logger; a pino logger is one. Fields first, then one sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function ignore(): void {}

/** A log that keeps quiet, for tests. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * What a supervisor and the process of a role say to each other, over the channel Node opens between parent and child.
 * Secrets (the database's password, a new token) travel here: never in arguments or the environment, which other
 * processes of the host may read.
 */
import type { Problems, RoleContext } from "../roles/role.ts";

export type Settings = Pick<RoleContext, "config" | "embedded" | "localGateway">;

export type ToRole =
  | ({ readonly type: "start" } & Settings)
  /** The other roles' problems have changed. */
  | { readonly type: "problems"; readonly problems: Problems }
  | { readonly type: "stop" };

export type FromRole =
  | { readonly type: "ready"; readonly url: string | undefined; readonly bootstrapToken: string | undefined }
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "problems"; readonly problems: Problems };

/** An error as it crosses from one process to another: the fields an operator's line is made of. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly path?: string | undefined;
  readonly syscall?: string | undefined;
  readonly cause?: PlainError | undefined;
}

/** Causes that cross with an error; a cycle ends there. */
const MAX_CAUSES = 4;

export function toPlainError(error: unknown, depth = 0): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const hasCause = error.cause !== undefined && depth < MAX_CAUSES;
  return {
    name: error.name,
    message: error.message,
    code,
    path,
    syscall,
    cause: hasCause ? toPlainError(error.cause, depth + 1) : undefined,
  };
}

export function fromPlainError({ cause, ...fields }: PlainError): Error {
  const error = new Error(fields.message, cause ? { cause: fromPlainError(cause) } : {});
  return Object.assign(error, fields);
}

/**
 * How processes of one installation talk to each other: HTTP with JSON over TLS with a pre-shared key (RFC 4279, with
 * an ephemeral key exchange, RFC 5489). The key is derived from the master key, so whoever can answer can also read
 * the vault, nobody else can ask or listen, and there is no certificate and no token to keep.
 */
import type { TLSSocketOptions } from "node:tls";
import { DomainError, type FieldErrors } from "../kernel/errors.ts";

/** Node takes a pre-shared key in TLS 1.2 alone. */
export const TLS = {
  ciphers: "ECDHE-PSK-CHACHA20-POLY1305",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
} as const satisfies Pick<TLSSocketOptions, "ciphers" | "minVersion" | "maxVersion">;

/** Keys by the version of the master key they come from; the newest is used, the others are still understood. */
export interface InternalKeys {
  readonly newest: number;
  keyOf(version: number): Buffer | undefined;
}

/** What one process asks of another takes data and gives data: whatever JSON can say. */
export type Answer = (input: never, signal: AbortSignal) => Promise<unknown>;

/** Largest question, bytes: a draft of a policy with its largest lists is a hundredth of it. */
export const MAX_QUESTION_BYTES = 4 * 1024 * 1024;

interface PlainProblem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors?: FieldErrors | undefined;
  readonly headers: Record<string, string>;
}

/** An error the caller can do something about crosses whole; any other stays in the log of the process it happened in. */
export function toPlainProblem(error: unknown): PlainProblem | undefined {
  if (!(error instanceof DomainError)) return undefined;
  const { status, code, title, message: detail, errors, headers } = error;
  return { status, code, title, detail, errors, headers };
}

export function fromPlainProblem({ errors, ...problem }: PlainProblem): DomainError {
  return new DomainError(errors ? { ...problem, errors } : problem);
}

/**
 * What can go wrong between us and a router, one class for each situation a caller treats differently.
 *
 * Every error carries a stable `code`, the `operation` that failed and, where another error is behind it, its
 * `cause`. No error carries the value of a password or of any other argument that may be secret.
 */

import type { Row } from "./codec/row.ts";

interface Context {
  /** The RouterOS command, such as `/ip/address/add`, or `connect`, `login`, `encode`, `decode`. */
  readonly operation: string;
  readonly cause?: unknown;
}

/** Base of all errors of this package; `code` tells them apart across package copies too. */
export abstract class RouterOsError extends Error {
  abstract readonly code: string;
  readonly operation: string;

  constructor(message: string, { operation, cause }: Context) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.operation = operation;
  }

  /**
   * Whether the router may have run the command although no complete answer came. Then it has neither
   * succeeded nor failed: read back before doing anything else.
   */
  get outcomeUnknown(): boolean {
    return false;
  }
}

/** How far a connection got: TCP, the TLS handshake, or the answer to `/login`. */
export type ConnectStage = "tcp" | "tls" | "login";

/** There is no usable connection: no route, refused, TLS failed, or no answer in time. Trying later may help. */
export class ConnectError extends RouterOsError {
  readonly code = "router-unreachable";
  readonly host: string;
  readonly port: number;
  readonly stage: ConnectStage;

  constructor(
    message: string,
    context: { host: string; port: number; stage: ConnectStage; cause?: unknown },
  ) {
    super(message, { operation: "connect", cause: context.cause });
    this.host = context.host;
    this.port = context.port;
    this.stage = context.stage;
  }
}

/** Why a login was refused; `other` keeps its text in `routerMessage`. */
export type LoginRefusal = "credentials" | "not-allowed" | "legacy-login-only" | "other";

/** The router answered and does not let us in. Trying again unchanged will not help. */
export class LoginError extends RouterOsError {
  readonly code = "login-refused";
  /**
   * `credentials`: wrong name or password (or, RouterOS does not tell, a source address the user may not use);
   * `not-allowed`: the user's group lacks the `api` policy; `legacy-login-only`: RouterOS before 6.43, which
   * needs `legacyLogin`.
   */
  readonly reason: LoginRefusal;
  /** RouterOS's own words. */
  readonly routerMessage: string;

  constructor(reason: LoginRefusal, routerMessage: string) {
    super(`login refused: ${routerMessage}`, { operation: "login" });
    this.reason = reason;
    this.routerMessage = routerMessage;
  }
}

/** RouterOS refused the command. `message` is the first trap's text. */
export class TrapError extends RouterOsError {
  readonly code = "trap";
  /** RouterOS's category, often missing; the same text comes with and without one, so never decide by it alone. */
  readonly category: number | undefined;
  /** The attributes of every trap of the command, in order: one command can produce two. */
  readonly traps: readonly Row[];
  /** The command with the values that may be secret left out. */
  readonly command: string;

  constructor(traps: readonly Row[], context: { operation: string; command: string }) {
    const first = traps[0];
    super(first?.message ?? "trap without a message", { operation: context.operation });
    const category = first?.category;
    this.category = category === undefined ? undefined : Number(category);
    this.traps = traps;
    this.command = context.command;
  }

  /** The router has no such menu or command: "no such command or directory (x)", "no such command prefix". */
  get unknownCommand(): boolean {
    return this.message.startsWith("no such command");
  }

  /** The row is gone: "no such item". */
  get unknownItem(): boolean {
    return this.message.startsWith("no such item");
  }
}

/** The router ended the connection with `!fatal`; commands without an answer are in an unknown state. */
export class FatalError extends RouterOsError {
  readonly code = "fatal";
  /** RouterOS's own words, such as `not logged in` or `session terminated on request`. */
  readonly routerMessage: string;

  constructor(routerMessage: string, operation: string) {
    super(`the router ended the connection: ${routerMessage}`, { operation });
    this.routerMessage = routerMessage;
  }

  override get outcomeUnknown(): boolean {
    return true;
  }
}

/** The bytes are not what the protocol allows, or pass a limit; the stream cannot be followed any further. */
export class ProtocolError extends RouterOsError {
  readonly code = "protocol-error";

  override get outcomeUnknown(): boolean {
    return true;
  }
}

/** The command was refused here, before a byte was sent: it is malformed. A bug of the caller. */
export class InvalidCommandError extends RouterOsError {
  readonly code = "invalid-command";
}

/** A text is not the value it should be: a version, a duration, a boolean. */
export class InvalidValueError extends RouterOsError {
  readonly code = "invalid-value";
}

/**
 * No end of the reply in time. This means UNKNOWN, not failed: the router may have run the command. The
 * connection stays usable.
 */
export class CommandTimeoutError extends RouterOsError {
  readonly code = "command-timeout";
  readonly timeoutMs: number;

  constructor(operation: string, timeoutMs: number) {
    super(`no complete answer within ${timeoutMs} ms; whether the command took effect is unknown`, {
      operation,
    });
    this.timeoutMs = timeoutMs;
  }

  override get outcomeUnknown(): boolean {
    return true;
  }
}

/** The reply passed its bound on rows or bytes; the command was cancelled. The connection stays usable. */
export class ReplyTooLargeError extends RouterOsError {
  readonly code = "reply-too-large";

  override get outcomeUnknown(): boolean {
    return true;
  }
}

/** The socket ended under us. What it means for a command on its way is a ConnectionClosedError of its own. */
export class ConnectionLostError extends RouterOsError {
  readonly code = "connection-lost";
}

/** The connection ended before the reply did. */
export class ConnectionClosedError extends RouterOsError {
  readonly code = "connection-closed";
  /** `unknown`: the command was handed to the socket and may have taken effect; `not-sent`: it was not. */
  readonly outcome: "unknown" | "not-sent";

  constructor(why: string, context: Context & { outcome: "unknown" | "not-sent" }) {
    const effect =
      context.outcome === "unknown" ? "whether the command took effect is unknown" : "nothing was sent";
    super(`${why}; ${effect}`, context);
    this.outcome = context.outcome;
  }

  override get outcomeUnknown(): boolean {
    return this.outcome === "unknown";
  }
}

/**
 * One socket to one router.
 *
 * A connection is *open*, then *draining* (no new commands, those on their way finish), then *closed*; `close()`
 * and every fault go to closed at once and end every command. The only file that knows `node:net` and
 * `node:tls`.
 */

import { once } from "node:events";
import { isIP, type Socket, connect as tcpConnect } from "node:net";
import { TLSSocket, connect as tlsConnect } from "node:tls";
import { type DecoderLimits, SentenceDecoder } from "./codec/decoder.ts";
import type { Row } from "./codec/row.ts";
import type { Sentence } from "./codec/sentence.ts";
import type { Word } from "./codec/word.ts";
import { checkCommand } from "./command.ts";
import {
  CommandTimeoutError,
  ConnectError,
  ConnectionClosedError,
  ConnectionLostError,
  type ConnectStage,
  FatalError,
  LoginError,
  ProtocolError,
  type RouterOsError,
} from "./errors.ts";
import type { Reply, ReplyLimits } from "./exchange.ts";
import { type Credentials, logIn } from "./login.ts";
import { Multiplexer } from "./multiplexer.ts";
import { isPinned, nodeTlsOptions, type TlsOptions } from "./tls.ts";

export interface ConnectionOptions extends Credentials, Partial<ReplyLimits> {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Without it the connection is plain TCP: the password crosses it in the clear. */
  readonly tls?: TlsOptions;
  /** The address of this host the connection leaves from. */
  readonly localAddress?: string;
  /** For TCP and TLS together; default 10 000. The login is a command and has the deadline of one. */
  readonly connectTimeoutMs?: number;
  /** Deadline of a command's whole reply where the command has none of its own; default 30 000. */
  readonly commandTimeoutMs?: number;
  readonly decoderLimits?: Partial<DecoderLimits>;
  /** Abandons connecting and logging in; it has no effect on the open connection. */
  readonly signal?: AbortSignal;
}

export interface RunOptions extends Partial<ReplyLimits> {
  /** Cancels the command on the router and leaves the others alone. */
  readonly signal?: AbortSignal;
  /** Deadline of the whole reply, ms; Infinity for none. */
  readonly timeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Limit before the login is accepted: its answer is one text without rows. */
const LOGIN_LIMITS = { maxReplyRows: 16, maxReplyBytes: 64 * 1024 };
/** A loaded router may stall for seconds; its users found that less than 30 s gives false alarms. */
const COMMAND_TIMEOUT_MS = 30_000;
/** How long a drained connection waits for the router's own end before it is cut. */
const END_GRACE_MS = 1_000;
/** An idle listener notices a dead router by TCP keep-alive. */
const KEEP_ALIVE_MS = 30_000;
/** 64 MiB hold about 300 000 rows of 200 bytes; a full routing table needs more and can ask for it. */
const REPLY_LIMITS: ReplyLimits = { maxReplyRows: 250_000, maxReplyBytes: 64 * 1024 * 1024 };

export class Connection implements AsyncDisposable {
  /** The address the connection leaves from. */
  readonly localAddress: string;
  /** The router's address as connected to. */
  readonly remoteAddress: string;
  /** SHA-256 of the router's certificate, hexadecimal with colons; undefined where it showed none. */
  readonly fingerprint: string | undefined;
  /**
   * Resolves when the connection is closed and its socket gone; never rejects. Undefined when we closed it,
   * otherwise why it ended: FatalError, ProtocolError or ConnectionLostError.
   */
  readonly closed: Promise<RouterOsError | undefined>;

  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #decoder: SentenceDecoder;
  readonly #multiplexer: Multiplexer;
  #state: "open" | "draining" | "closed" = "open";
  #reason: RouterOsError | undefined;
  #draining: Promise<void> | undefined;

  private constructor({ socket, tcp, onData }: OpenSocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#decoder = new SentenceDecoder(options.decoderLimits);
    const link = {
      write: (bytes: string) => void socket.write(bytes, "latin1"),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
    };
    this.#multiplexer = new Multiplexer(link, {
      timeoutMs: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
      maxReplyRows: options.maxReplyRows ?? REPLY_LIMITS.maxReplyRows,
      maxReplyBytes: options.maxReplyBytes ?? REPLY_LIMITS.maxReplyBytes,
    });
    this.localAddress = socket.localAddress ?? "";
    this.remoteAddress = socket.remoteAddress ?? "";
    this.fingerprint = fingerprintOf(socket);
    const { promise, resolve } = Promise.withResolvers<RouterOsError | undefined>();
    this.closed = promise;
    onData(this.#onData);
    socket.on("error", (error) => this.#end(lost(`the connection broke (${error.message})`, error)));
    socket.on("end", () => this.#end(this.#endOfStream()));
    socket.on("close", () => {
      this.#end(lost("the connection broke"));
      resolve(this.#reason);
    });
  }

  /**
   * Connect and log in.
   * @throws ConnectError nobody there, TLS failed, or no answer; `stage` says how far it got
   * @throws LoginError the router refuses the login
   * @throws ProtocolError what answers does not speak the RouterOS API
   * @throws the signal's reason when aborted
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    options.signal?.throwIfAborted();
    const opened = await openSocket(options);
    const connection = new Connection(opened, options);
    try {
      await logIn(
        (words) => connection.#multiplexer.startUntagged(words, { ...LOGIN_LIMITS, signal: options.signal }),
        options,
      );
      return connection;
    } catch (error) {
      connection.close();
      throw loginFailure(error, options, opened.socket.bytesRead > 0);
    }
  }

  /**
   * Run one command and return its whole reply.
   * @param words the command path, then `=name=value` and `?query` words; the tag is ours to add
   * @throws InvalidCommandError malformed, nothing sent
   * @throws TrapError the router refused it
   * @throws CommandTimeoutError, ConnectionClosedError, FatalError, ProtocolError no complete answer;
   *   `outcomeUnknown` tells whether it may have been run
   * @throws ReplyTooLargeError more than this side wants to hold; the command is cancelled
   * @throws the signal's reason when aborted; the command is cancelled, its effect unknown
   */
  run(words: readonly Word[], options: RunOptions = {}): Promise<Reply> {
    try {
      checkCommand(words);
      this.#refuseUnlessOpen(words);
      return this.#multiplexer.start(words, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The rows of a command that never ends by itself, as they come. It is sent when the iteration begins and
   * cancelled when the loop is left. A slow reader makes the socket wait while no other command is on its way;
   * otherwise it is told by a ReplyTooLargeError once it is 16 MiB behind.
   */
  stream(words: readonly Word[], options: { readonly signal?: AbortSignal } = {}): AsyncIterable<Row> {
    checkCommand(words);
    return {
      [Symbol.asyncIterator]: () => {
        this.#refuseUnlessOpen(words);
        return this.#multiplexer.startStream(words, options.signal);
      },
    };
  }

  /** Bytes received so far over TCP, TLS and the login included, headers of TCP and IP not. */
  get bytesRead(): number {
    return this.#tcp.bytesRead;
  }

  /** Bytes handed to TCP so far, TLS and the login included. */
  get bytesWritten(): number {
    return this.#tcp.bytesWritten;
  }

  /** Close now: every command still on its way ends with a ConnectionClosedError. Safe to call twice. */
  close(): void {
    this.#end(undefined);
    this.#socket.destroy();
  }

  /**
   * Close now and tell the router with a TCP reset instead of an orderly end. What waits to be sent is thrown away, on
   * this host and in the kernel: after `close` it would still be delivered, and a router that was out of reach for a
   * minute would then carry out a command nobody waits for. Every command ends with a ConnectionClosedError. Safe to
   * call twice.
   */
  reset(): void {
    // Before the TLS layer closes in order, which would send what waits.
    if (!this.#tcp.destroyed) this.#tcp.resetAndDestroy();
    this.close();
  }

  /** Take no new commands, let those on their way finish (streams are cancelled), then close. Safe to call twice. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  async #drain(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "draining";
      await this.#multiplexer.finish();
      if (!this.#isClosed()) {
        this.#state = "closed";
        this.#socket.end();
        setTimeout(() => this.#socket.destroy(), END_GRACE_MS).unref();
      }
    }
    await this.closed;
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #refuseUnlessOpen(words: readonly Word[]): void {
    if (this.#state === "open") return;
    const why =
      this.#state === "draining" ? "the connection takes no more commands" : "the connection is closed";
    throw new ConnectionClosedError(why, {
      operation: String(words[0]),
      outcome: "not-sent",
      cause: this.#reason,
    });
  }

  #onData = (chunk: Buffer, size: number): void => {
    try {
      this.#decoder.read(chunk, size, this.#onSentence);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end(error);
    }
  };

  #onSentence = (sentence: Sentence): void => {
    if (this.#isClosed()) return;
    const reason = this.#multiplexer.receive(sentence);
    if (reason) this.#end(reason);
  };

  #endOfStream(): RouterOsError {
    const where = this.#decoder.pendingBytes > 0 ? " in the middle of a sentence" : "";
    return lost(`the router closed the connection${where}`);
  }

  #end(reason: RouterOsError | undefined): void {
    if (this.#isClosed()) return;
    this.#state = "closed";
    this.#reason = reason;
    this.#multiplexer.failAll(reason);
    this.#socket.destroy();
  }
}

function lost(message: string, cause?: Error): ConnectionLostError {
  return new ConnectionLostError(message, { operation: "connection", cause });
}

type Take = (chunk: Buffer, size: number) => void;

interface OpenSocket {
  /** What commands are written to: the TCP connection, or TLS over it. */
  readonly socket: Socket;
  readonly tcp: Socket;
  /** Who takes the bytes, the first `size` of a chunk; it may be overwritten once that returns. */
  readonly onData: (take: Take) => void;
}

/** Plain TCP is read into one buffer, over and over: a new one for each read is a third of a short command's cost. */
const READ_BYTES = 64 * 1024;

/** TCP and, where asked for, TLS, with the router's certificate checked. Leaves no socket behind on failure. */
async function openSocket(options: ConnectionOptions): Promise<OpenSocket> {
  const { host, port, localAddress, tls, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const tlsOptions = tls && nodeTlsOptions(tls);
  const timeout = AbortSignal.timeout(connectTimeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let stage: ConnectStage = "tcp";
  let take: Take = () => {};
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const callback = (size: number): boolean => {
    take(buffer, size);
    return true;
  };
  const tcp = tcpConnect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    ...(localAddress === undefined ? {} : { localAddress, family: isIP(localAddress) }),
    ...(tls ? {} : { onread: { buffer, callback } }),
  });
  tcp.on("error", () => {}); // told by `once`; without a listener a late one would end the process
  let socket = tcp;
  try {
    await once(tcp, "connect", { signal });
    if (tls && tlsOptions) {
      stage = "tls";
      const name = isIP(host) === 0 ? { servername: host } : {};
      const secure = tlsConnect({ socket: tcp, host, ...name, ...tlsOptions });
      socket = secure;
      socket.on("error", () => {});
      await once(secure, "secureConnect", { signal });
      checkFingerprint(secure, tls);
    }
    const onData = (taker: Take): void => {
      take = taker;
      if (tls) socket.on("data", (chunk: Buffer) => taker(chunk, chunk.length));
    };
    return { socket, tcp, onData };
  } catch (error) {
    socket.destroy();
    options.signal?.throwIfAborted();
    const why = timeout.aborted ? `no connection within ${connectTimeoutMs} ms` : messageOf(error);
    throw new ConnectError(`cannot connect to ${host} port ${port}: ${why}`, {
      host,
      port,
      stage,
      cause: error,
    });
  }
}

function checkFingerprint(socket: TLSSocket, tls: TlsOptions): void {
  if (!("fingerprint" in tls)) return;
  const shown = fingerprintOf(socket);
  if (shown === undefined || !isPinned(shown, tls.fingerprint)) {
    throw new Error(`the router's certificate is another one: ${shown ?? "none"}`);
  }
}

function fingerprintOf(socket: Socket): string | undefined {
  // An anonymous handshake has no certificate; Node then answers an empty object.
  return socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : undefined;
}

function messageOf(error: unknown): string {
  // Happy eyeballs collects several refusals; the aggregate itself says nothing.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}

/** A login that got no answer means that there is no usable connection; a refusal stays what it is. */
function loginFailure(error: unknown, { host, port }: ConnectionOptions, answered: boolean): unknown {
  if (error instanceof FatalError) return new LoginError("other", error.routerMessage);
  const closed = answered
    ? "it closed the connection after an answer that is no RouterOS API's"
    : "it closed the connection without an answer, as the address list of /ip service makes it";
  const hint = error instanceof ConnectionClosedError ? closed : "it does not answer the login";
  if (!(error instanceof ConnectionClosedError || error instanceof CommandTimeoutError)) return error;
  return new ConnectError(`no login to ${host} port ${port}: ${hint}`, {
    host,
    port,
    stage: "login",
    cause: error,
  });
}

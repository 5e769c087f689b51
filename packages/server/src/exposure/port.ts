/** One connection to one port: is somebody there, and what does it say? */
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import type { Protocol } from "./protocols.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** The address of this host the connection leaves from. */
  readonly localAddress: string;
}

export interface Seen {
  readonly state: "open" | "closes_at_once" | "closed" | "no_answer";
  /** What it said, at most MAX_ANSWER_BYTES. */
  readonly answer: Buffer;
}

interface Limits {
  /** For TCP alone, milliseconds. A first lost packet is sent again after one second. */
  readonly connectMs: number;
  /** For TLS and what is said together, milliseconds. */
  readonly answerMs: number;
}

const LIMITS: Limits = { connectMs: 3_000, answerMs: 2_500 };
/** A login page's head is below this; what sends more is cut off, bytes. */
const MAX_ANSWER_BYTES = 8 * 1024;

/** Errors that this host makes, not the way or the other end: nothing can be told then. */
const OURS = new Set(["EADDRNOTAVAIL", "EADDRINUSE", "EMFILE", "ENFILE", "EACCES", "EPERM", "EINVAL"]);

/**
 * Look at one port. Ends within both limits together, whatever the other end does.
 * @throws the signal's reason when aborted; the error of this host that prevents looking
 */
export async function lookAt(
  endpoint: Endpoint,
  protocol: Protocol,
  signal: AbortSignal,
  { connectMs, answerMs }: Limits = LIMITS,
): Promise<Seen> {
  signal.throwIfAborted();
  const { host, port, localAddress } = endpoint;
  const socket = connect({ host, port, localAddress, family: isIP(localAddress), noDelay: true });
  socket.on("error", () => {}); // told by `once`; without a listener a late one would end the process
  try {
    await once(socket, "connect", { signal: AbortSignal.any([signal, AbortSignal.timeout(connectMs)]) });
    return await listen(socket, endpoint, protocol, { answerMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (OURS.has(code)) throw error;
    return { state: code === "ECONNREFUSED" ? "closed" : "no_answer", answer: Buffer.alloc(0) };
  } finally {
    socket.destroy();
  }
}

async function listen(
  socket: Socket,
  { host }: Endpoint,
  { tls, greeting, isComplete }: Protocol,
  until: Until,
): Promise<Seen> {
  const stream = tls ? overTls(socket) : socket;
  if (greeting) stream.write(greeting(host));
  const { answer, endedByPeer } = await collect(stream, isComplete, until);
  const isSilent = socket.bytesRead === 0;
  return { state: endedByPeer && isSilent ? "closes_at_once" : "open", answer };
}

/**
 * Any certificate, and none at all: whom we speak to is what is to be found out. Without a certificate RouterOS offers
 * anonymous suites only, which TLS 1.3 does not have, and by default it takes TLS 1.0 to 1.2.
 * Source: MikroTik's manual, "API" (certificate=none) and "REST API" (tls-version).
 */
function overTls(socket: Socket): TLSSocket {
  const stream = tlsConnect({
    socket,
    rejectUnauthorized: false,
    minVersion: "TLSv1",
    ciphers: "ALL:@SECLEVEL=0", // DEFAULT shuts the anonymous ones out for good
  });
  stream.on("error", () => {});
  return stream;
}

interface Until {
  readonly answerMs: number;
  readonly signal: AbortSignal;
}

interface Heard {
  readonly answer: Buffer;
  readonly endedByPeer: boolean;
}

/** Read until the answer is complete, too long or late, or the other end has ended it. */
async function collect(
  stream: Socket,
  isComplete: (answer: Buffer) => boolean,
  { answerMs, signal }: Until,
): Promise<Heard> {
  const held = Buffer.alloc(MAX_ANSWER_BYTES);
  let length = 0;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  stream.on("data", (chunk: Buffer) => {
    length += chunk.copy(held, length);
    if (length === MAX_ANSWER_BYTES || isComplete(held.subarray(0, length))) resolve(false);
  });
  for (const event of ["end", "close", "error"]) stream.once(event, () => resolve(true));
  const timer = setTimeout(() => resolve(false), answerMs);
  const stop = () => resolve(false);
  signal.addEventListener("abort", stop);
  try {
    const endedByPeer = await promise;
    signal.throwIfAborted();
    return { answer: held.subarray(0, length), endedByPeer };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    stream.destroy();
  }
}

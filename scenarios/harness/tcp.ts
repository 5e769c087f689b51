import { connect, type Socket } from "node:net";

export interface Visit {
  /** Everything the other side sent. */
  readonly received: Buffer;
  /** ECONNREFUSED, ECONNRESET, … or undefined for an orderly end. */
  readonly error: string | undefined;
}

/** Connect from an address, say something or nothing, and wait until the other side ends it. */
export function visit(target: { host: string; port: number }, from: string, say?: string): Promise<Visit> {
  const socket = connect({ ...target, localAddress: from });
  return endOf(socket, say);
}

function endOf(socket: Socket, say: string | undefined): Promise<Visit> {
  const chunks: Buffer[] = [];
  let error: string | undefined;
  if (say !== undefined) socket.once("connect", () => socket.write(say));
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", (cause: NodeJS.ErrnoException) => {
    error = cause.code;
  });
  return new Promise((resolve) => {
    socket.once("close", () => resolve({ received: Buffer.concat(chunks), error }));
  });
}

import type { Socket } from "node:net";

/** On both ends: no delay for small writes, half-close is ours to carry over, dead peers are noticed. */
export const socketOptions = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
} as const;

/**
 * Cut a socket at once: RST, so that nothing the kernel still holds is delivered and no peer is waited for.
 *
 * Two states in which Node cannot send an RST are stepped round. While connecting, it would wait for the
 * connection first: there is nothing to reset, so the attempt is dropped. While a shutdown is under way libuv
 * refuses the reset and Node then loses the descriptor; `carry` never starts a shutdown with bytes unsent, so
 * it is over within the tick.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting) socket.destroy();
  else if (socket.writableEnded && !socket.writableFinished)
    socket.once("finish", () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

/** Resolves when the socket's descriptor is gone. */
export function gone(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", () => resolve()));
}

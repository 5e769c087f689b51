import type { Socket } from "node:net";

/**
 * Carry bytes one way, from the next tick on, until `from` ends; its end is carried over once everything
 * before it has left. Neither socket is closed here, and errors are the caller's to listen for.
 *
 * Back-pressure is decided after the write, on what the kernel would not take: Node's own hint counts the
 * chunk before trying, and would stop and start the reader for every full read of a fast stream.
 *
 * @param bufferBytes unsent bytes at which reading from `from` stops until all of them have left; at least
 *   the high-water mark of `to`, below which a socket emits no `drain`
 * @param onBytes called with the size of each chunk before it goes on; false: it must not, and nothing after it
 */
export function carry(
  from: Socket,
  to: Socket,
  bufferBytes: number,
  onBytes: (bytes: number) => boolean,
): void {
  const threshold = Math.max(bufferBytes, to.writableHighWaterMark);
  let ended = false;

  // Ending only what is flushed keeps `reset` possible at any time.
  const endWhenFlushed = () => {
    if (ended && to.writableLength === 0 && !to.writableEnded) to.end();
  };
  from.on("data", (chunk) => {
    if (!onBytes(chunk.length)) return;
    to.write(chunk, endWhenFlushed);
    if (to.writableLength > threshold) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => {
    ended = true;
    endWhenFlushed();
  });
  from.resume();
}

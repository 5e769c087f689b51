import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { waitFor } from "@portreeve/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { carry } from "./pipe.ts";
import { gone, reset } from "./sockets.ts";
import { socketPair } from "./test-sockets.ts";

const MIB = 1024 * 1024;
const bufferBytes = 256 * 1024;

/** sender ─> from │ carry │ to ─> reader */
let sender: Socket;
let from: Socket;
let to: Socket;
let reader: Socket;
let carried: number;
let mostHeld: number;

beforeEach(async () => {
  [from, sender] = await socketPair();
  [to, reader] = await socketPair();
  carried = 0;
  mostHeld = 0;
});

afterEach(() => {
  for (const socket of [sender, from, to, reader]) socket.destroy();
});

function start() {
  carry(from, to, bufferBytes, (bytes) => {
    carried += bytes;
    mostHeld = Math.max(mostHeld, bytes + from.readableLength + to.writableLength);
    return true;
  });
}

/** Send until the reader's side takes no more, and no further: what is left waits in `to`. */
async function fill(): Promise<void> {
  for (let sent = 0; to.writableLength === 0; ) {
    sent += 16 * 1024;
    sender.write(Buffer.alloc(16 * 1024));
    await waitFor(() => carried === sent);
  }
}

test("a fast writer is stopped by a reader that does not read, with less than 1 MiB held", async () => {
  const bytes = randomBytes(64 * MIB);
  start();
  sender.end(bytes);
  await waitFor(() => from.isPaused());
  expect(to.writableLength).toBeGreaterThan(bufferBytes);

  const hash = createHash("sha256");
  reader.on("data", (chunk) => hash.update(chunk));
  await once(reader, "end");
  expect(carried).toBe(bytes.length);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  expect(mostHeld).toBeLessThan(MIB);
});

test("the end of one direction is carried over after its last byte and leaves the other direction open", async () => {
  start();
  sender.end("last words");
  const chunks: Buffer[] = [];
  reader.on("data", (chunk) => chunks.push(chunk));
  await once(reader, "end");
  expect(Buffer.concat(chunks).toString()).toBe("last words");

  carry(to, from, bufferBytes, () => true);
  sender.resume();
  reader.end("an answer");
  const [answer] = await once(sender, "data");
  expect(String(answer)).toBe("an answer");
});

test("a chunk that must not go on is not carried, nor what comes after it", async () => {
  let passes = true;
  carry(from, to, bufferBytes, () => passes);
  sender.write("before");
  expect(String((await once(reader, "data"))[0])).toBe("before");
  passes = false;
  sender.write("after the end");
  await waitFor(() => from.bytesRead === "beforeafter the end".length);
  expect(to.bytesWritten).toBe("before".length);
});

test("a socket is cut although its end waits behind bytes that nobody reads", async () => {
  start();
  await fill();
  sender.end();
  await waitFor(() => from.readableEnded);
  expect(to.writableLength).toBeGreaterThan(0);

  reset(to);
  await gone(to);
  const failed = once(reader, "error");
  reader.resume();
  expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
});

test.each([0, 1, 2])(
  "a socket is cut while its end is being sent, %i ticks after it began",
  async (ticks) => {
    start();
    const cutAfter = (left: number) => (left === 0 ? reset(to) : process.nextTick(cutAfter, left - 1));
    from.on("end", () => cutAfter(ticks));
    sender.end();
    // A reset refused half-way would leave the descriptor open and the socket without a "close".
    await gone(to);
    expect(to.destroyed).toBe(true);
  },
);

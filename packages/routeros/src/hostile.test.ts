/** A router that means harm, or is broken in the worst way: bounded in time and memory, others unaffected. */

import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { RouterClient } from "./client.ts";
import { CommandTimeoutError, ProtocolError, ReplyTooLargeError } from "./errors.ts";
import { type RawLine, RawPeer, rawSentence } from "./testing/raw-peer.ts";
import { LOGIN, rejection, withRouter } from "./testing/with-router.ts";

/** Send as fast as the client takes it, until told to stop or cut off. */
async function flood(line: RawLine, chunk: Buffer, isOver: () => boolean): Promise<void> {
  while (!isOver() && !line.socket.destroyed) {
    if (line.socket.write(chunk)) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([new Promise((resolve) => line.socket.once("drain", resolve)), delay(50)]);
  }
}

/** Answer commands until the client leaves; commands other than /cancel get a bare `!done`. */
async function serve(line: RawLine): Promise<void> {
  for (;;) {
    const command = await line.command().catch(() => undefined);
    if (!command) return;
    line.send("!done", "=ret=1", `.tag=${command.tag}`);
  }
}

describe("a huge announced length", () => {
  test.each([
    ["4 GiB in the five byte form", Buffer.of(0xf0, 0xff, 0xff, 0xff, 0xff)],
    ["256 MiB", Buffer.of(0xef, 0xff, 0xff, 0xff)],
  ])("of %s is refused before memory is taken", async (_, bytes) => {
    await withRouter(
      async (line) => {
        await line.command();
        line.socket.write(bytes);
        await line.end();
      },
      async (router) => {
        const error = await rejection(router.print("/user"));
        expect(error).toBeInstanceOf(ProtocolError);
        expect(error).toMatchObject({ message: expect.stringContaining("limit"), outcomeUnknown: true });
      },
    );
  });
});

describe("an endless reply", () => {
  const row = (tag: string) => Buffer.concat(Array(200).fill(rawSentence(["!re", "=a=1", `.tag=${tag}`])));

  test.each([
    ["rows", { maxReplyRows: 5_000 }],
    ["bytes", { maxReplyBytes: 100_000 }],
  ])("ends at its bound on %s, is cancelled, and the connection continues", async (_, bound) => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        let cancelled = false;
        const cancel = line.command().then(({ words }) => {
          cancelled = true;
          return words;
        });
        await flood(line, row(tag), () => cancelled);
        expect(await cancel).toEqual(["/cancel", `=tag=${tag}`]);
        line.send("!done", `.tag=${tag}`);
        await serve(line);
      },
      async (router) => {
        const error = await rejection(router.print("/log", bound));
        expect(error).toBeInstanceOf(ReplyTooLargeError);
        expect(error).toMatchObject({ code: "reply-too-large", operation: "/log/print" });
        expect(await router.count("/user")).toBe(1);
        router.close();
      },
    );
  });

  test("of rows or of traps ends at the deadline", async () => {
    for (const word of ["!re", "!trap", "!nonsense"]) {
      await withRouter(
        async (line) => {
          const { tag } = await line.command();
          let cancelled = false;
          const cancel = line.command().then(() => {
            cancelled = true;
          });
          while (!cancelled) {
            line.send(word, `.tag=${tag}`);
            await delay(1);
          }
          await cancel;
          await serve(line);
        },
        async (router) => {
          const error = await rejection(router.print("/log", { timeoutMs: 60 }));
          expect(error).toBeInstanceOf(CommandTimeoutError);
          expect(await router.count("/user")).toBe(1);
          router.close();
        },
      );
    }
  });

  test("that continues after it was abandoned ends the connection", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        const chunk = Buffer.concat(
          Array(16).fill(rawSentence(["!re", `=a=${"x".repeat(65_000)}`, `.tag=${tag}`])),
        );
        await flood(line, chunk, () => false);
      },
      async (router) => {
        const error = await rejection(router.print("/log", { maxReplyBytes: 1_000 }));
        expect(error).toBeInstanceOf(ReplyTooLargeError);
        const reason = await router.closed;
        expect(reason).toBeInstanceOf(ProtocolError);
        expect(reason?.message).toContain("continues answering");
      },
    );
  });
});

test("a reply that trickles byte by byte has one deadline for the whole, and other routers do not notice", async () => {
  await using healthy = await RawPeer.listen(async (line) => {
    await line.admit();
    await serve(line);
  });
  await using other = await RouterClient.connect({ ...LOGIN, port: healthy.port });
  await withRouter(
    async (line) => {
      const { tag } = await line.command();
      for (const byte of rawSentence(["!re", `=comment=${"slow".repeat(1000)}`, `.tag=${tag}`])) {
        if (line.socket.destroyed) return;
        line.socket.write(Buffer.of(byte));
        await delay(2);
      }
    },
    async (router) => {
      const slow = rejection(router.print("/user", { timeoutMs: 100 }));
      for (let i = 0; i < 20; i++) expect(await other.count("/user")).toBe(1);
      expect(await slow).toBeInstanceOf(CommandTimeoutError);
      router.close();
    },
  );
});

test("hundreds of silent commands end on their own deadlines", async () => {
  await withRouter(
    async (line) => {
      for (let i = 0; i < 400; i++) await line.command();
      await serve(line);
    },
    async (router) => {
      const silent = Array.from({ length: 400 }, () =>
        rejection(router.call("/silent", {}, { timeoutMs: 30 })),
      );
      for (const error of await Promise.all(silent)) expect(error).toBeInstanceOf(CommandTimeoutError);
      expect(await router.count("/user")).toBe(1);
      router.close();
    },
  );
});

import { describe, expect, test } from "vitest";
import type { Row } from "./codec/row.ts";
import { ConnectionClosedError, ReplyTooLargeError, TrapError } from "./errors.ts";
import { type RawLine, rawSentence } from "./testing/raw-peer.ts";
import { rejection, withRouter } from "./testing/with-router.ts";

/** Rows of 4 KiB, numbered from 0, until `count` are sent; `sent` tells how many the socket took. */
class Flood {
  sent = 0;
  /** Resolves when the socket takes no more for many turns of the event loop, or all is sent. */
  readonly stalled: Promise<void>;
  readonly #stall = Promise.withResolvers<void>();

  constructor() {
    this.stalled = this.#stall.promise;
  }

  async run(line: RawLine, tag: string, count: number): Promise<void> {
    const filler = "x".repeat(4000);
    while (this.sent < count && !line.socket.destroyed) {
      const taken = line.socket.write(
        rawSentence(["!re", `=n=${this.sent}`, `=filler=${filler}`, `.tag=${tag}`]),
      );
      this.sent += 1;
      if (!taken) await this.#drained(line);
    }
    this.#stall.resolve();
  }

  async #drained(line: RawLine): Promise<void> {
    let turns = 0;
    while (line.socket.writableNeedDrain && !line.socket.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      turns += 1;
      if (turns === 50) this.#stall.resolve();
    }
  }
}

async function collect(rows: AsyncIterable<Row>, count: number): Promise<Row[]> {
  const seen: Row[] = [];
  for await (const row of rows) {
    seen.push(row);
    if (seen.length === count) break;
  }
  return seen;
}

describe("listening", () => {
  test("hands out changes as they come, removals included, and cancels when the loop is left", async () => {
    await withRouter(
      async (line) => {
        const { words, tag } = await line.command();
        expect(words).toEqual(["/ip/address/listen", "=.proplist=.id,address", "?disabled=no"]);
        line.send("!re", "=.id=*1", "=address=10.0.0.1/24", `.tag=${tag}`);
        line.send("!re", `.tag=${tag}`, "=.id=*1", "=.dead=true");
        const cancel = await line.command();
        expect(cancel.words).toEqual(["/cancel", `=tag=${tag}`]);
        const next = await line.command();
        line.send("!done", "=ret=2", `.tag=${next.tag}`);
      },
      async (router) => {
        const changes = router.listen("/ip/address", {
          proplist: [".id", "address"],
          queries: ["?disabled=no"],
        });
        expect(await collect(changes, 2)).toEqual([
          { ".id": "*1", address: "10.0.0.1/24" },
          { ".id": "*1", ".dead": "true" },
        ]);
        expect(await router.count("/user")).toBe(2);
      },
    );
  });

  test("to a menu that cannot do it throws the router's trap", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!trap", "=message=unknown parameter follow-only", `.tag=${tag}`);
        line.send("!done", `.tag=${tag}`);
      },
      async (router) => {
        const error = await rejection(collect(router.listen("/system/resource"), 1));
        expect(error).toBeInstanceOf(TrapError);
        expect(error).toMatchObject({ message: "unknown parameter follow-only" });
      },
    );
  });

  test("ends with the connection: the rows that came are handed out first", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!re", "=n=1", `.tag=${tag}`);
        line.send("!re", "=n=2", `.tag=${tag}`);
        line.socket.end();
      },
      async (router) => {
        const seen: Row[] = [];
        const error = await rejection(
          (async () => {
            for await (const row of router.listen("/log")) {
              seen.push(row);
              await router.closed;
            }
          })(),
        );
        expect(seen).toEqual([{ n: "1" }, { n: "2" }]);
        expect(error).toBeInstanceOf(ConnectionClosedError);
      },
    );
  });

  test("ends without an error when the connection is drained", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!re", "=n=1", `.tag=${tag}`);
        expect((await line.command()).words).toEqual(["/cancel", `=tag=${tag}`]);
        await line.end();
      },
      async (router) => {
        const seen: Row[] = [];
        for await (const row of router.listen("/log")) {
          seen.push(row);
          void router.drain();
        }
        expect(seen).toEqual([{ n: "1" }]);
        expect(await router.closed).toBeUndefined();
      },
    );
  });

  test("is sent only once the iteration begins", async () => {
    await withRouter(
      async (line) => {
        const { words, tag } = await line.command();
        expect(words).toEqual(["/other"]);
        line.send("!done", `.tag=${tag}`);
      },
      async (router) => {
        router.listen("/log");
        await router.call("/other");
      },
    );
  });
});

describe("a slow reader", () => {
  const ROWS = 8_000; // of 4 KiB: far more than the socket buffers of both sides hold

  test("makes the router wait, and misses nothing", async () => {
    const flood = new Flood();
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        await flood.run(line, tag, ROWS);
        expect((await line.command()).words[0]).toBe("/cancel");
      },
      async (router) => {
        let next = 0;
        for await (const row of router.listen("/log")) {
          if (next === 0) {
            await flood.stalled;
            expect(flood.sent).toBeLessThan(ROWS);
          }
          expect(row.n).toBe(String(next));
          next += 1;
          if (next === ROWS) break;
        }
      },
    );
  });

  test("does not hold up the replies of other commands", async () => {
    const flood = new Flood();
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        const flooding = flood.run(line, tag, 2_000);
        for (let i = 0; i < 3; i++) {
          const command = await line.command();
          line.send("!done", `=ret=${i}`, `.tag=${command.tag}`);
        }
        await flooding;
        await line.end();
      },
      async (router) => {
        const rows = router.listen("/log")[Symbol.asyncIterator]();
        expect((await rows.next()).value).toMatchObject({ n: "0" });
        for (let i = 0; i < 3; i++) expect(await router.count("/user")).toBe(i);
        router.close();
      },
    );
  });

  test("that falls too far behind while another command waits is told, and its listener cancelled", async () => {
    const flood = new Flood();
    await withRouter(
      async (line) => {
        const listening = await line.command();
        const waiting = await line.command();
        await Promise.all([
          flood.run(line, listening.tag, ROWS),
          line.command().then(({ words }) => {
            expect(words).toEqual(["/cancel", `=tag=${listening.tag}`]);
            line.send("!done", "=ret=9", `.tag=${waiting.tag}`);
          }),
        ]);
      },
      async (router) => {
        const rows = router.listen("/log")[Symbol.asyncIterator]();
        const first = rows.next();
        const waiting = router.count("/user");
        await first;
        expect(await waiting).toBe(9);
        const behind = rejection(
          (async () => {
            while (!(await rows.next()).done);
          })(),
        );
        expect(await behind).toBeInstanceOf(ReplyTooLargeError);
      },
    );
  });
});

import { describe, expect, test } from "vitest";
import {
  CommandTimeoutError,
  ConnectionClosedError,
  ConnectionLostError,
  FatalError,
  ProtocolError,
  TrapError,
} from "./errors.ts";
import { rawSentence } from "./testing/raw-peer.ts";
import { rejection, withRouter } from "./testing/with-router.ts";

describe("commands on one connection", () => {
  test("leave in one write when issued in one turn, and find their replies in any order", async () => {
    const count = 300;
    await withRouter(
      async (line) => {
        const before = line.chunks;
        const commands = [];
        for (let i = 0; i < count; i++) commands.push(await line.command());
        expect(line.chunks - before).toBeLessThan(4);
        for (const { tag, words } of commands) line.send("!re", `=asked=${words[1]}`, `.tag=${tag}`);
        for (const { tag, words } of commands.reverse()) {
          line.send("!re", `.tag=${tag}`, `=again=${words[1]}`);
          line.send("!done", `.tag=${tag}`);
        }
      },
      async (router) => {
        const numbers = Array.from({ length: count }, (_, i) => String(i));
        const replies = await Promise.all(numbers.map((n) => router.call("/echo", { n })));
        expect(replies.map(({ rows }) => rows)).toEqual(
          numbers.map((n) => [{ asked: `=n=${n}` }, { again: `=n=${n}` }]),
        );
      },
    );
  });

  test("do not mind reply words, tags and words nobody knows", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!done", ".tag=no-such-tag");
        line.send("!re", "=stray=row");
        line.send("!done");
        line.send("!progress", `.tag=${tag}`, "=percent=10");
        line.send("!re", "a bare word", ".api-tag=1", "=a=1", `.tag=${tag}`, "=b=2");
        line.send("!empty", `.tag=${tag}`);
        line.send("!done", `.tag=${tag}`);
      },
      async (router) => {
        expect(await router.call("/system/resource/print")).toEqual({
          rows: [{ a: "1", b: "2" }],
          empty: true,
        });
      },
    );
  });

  test("keep every trap, tell the first, and leave the next command's reply alone", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!trap", "=category=0", "=message=no such command or directory (adress)", `.tag=${tag}`);
        line.send("!trap", "=message=no such command prefix", `.tag=${tag}`);
        line.send("!done", `.tag=${tag}`);
        const next = await line.command();
        line.send("!done", "=ret=7", `.tag=${next.tag}`);
      },
      async (router) => {
        const error = await rejection(router.print("/ip/adress"));
        expect(error).toBeInstanceOf(TrapError);
        expect(error).toMatchObject({
          code: "trap",
          message: "no such command or directory (adress)",
          category: 0,
          operation: "/ip/adress/print",
          outcomeUnknown: false,
        });
        expect((error as TrapError).traps.map(({ message }) => message)).toEqual([
          "no such command or directory (adress)",
          "no such command prefix",
        ]);
        expect(await router.count("/ip/address")).toBe(7);
      },
    );
  });
});

describe("a command that is abandoned", () => {
  test("at its deadline is unknown, is cancelled by its tag, and leaves the connection usable", async () => {
    await withRouter(
      async (line) => {
        const silent = await line.command();
        const cancel = await line.command();
        expect(cancel.words).toEqual(["/cancel", `=tag=${silent.tag}`]);
        expect(cancel.tag).not.toBe(silent.tag);
        line.send("!trap", "=category=2", "=message=interrupted", `.tag=${silent.tag}`);
        line.send("!done", `.tag=${cancel.tag}`);
        line.send("!done", "=ret=late", `.tag=${silent.tag}`);
        const next = await line.command();
        expect(next.tag).not.toBe(silent.tag);
        line.send("!done", "=ret=*5", `.tag=${next.tag}`);
      },
      async (router) => {
        const error = await rejection(router.call("/user/set", { password: "new" }, { timeoutMs: 20 }));
        expect(error).toBeInstanceOf(CommandTimeoutError);
        expect(error).toMatchObject({ timeoutMs: 20, operation: "/user/set", outcomeUnknown: true });
        expect(await router.add("/user", { name: "x" })).toBe("*5");
      },
    );
  });

  test("by its signal does not disturb the others", async () => {
    const stop = new AbortController();
    await withRouter(
      async (line) => {
        const [ping, print] = [await line.command(), await line.command()];
        stop.abort(new Error("enough"));
        const cancel = await line.command();
        expect(cancel.words).toEqual(["/cancel", `=tag=${ping.tag}`]);
        line.send("!done", "=ret=3", `.tag=${print.tag}`);
      },
      async (router) => {
        const pinging = rejection(router.call("/ping", { address: "10.0.0.1" }, { signal: stop.signal }));
        const counting = router.count("/interface");
        expect(await pinging).toBe(stop.signal.reason);
        expect(await counting).toBe(3);
      },
    );
  });

  test("before it left was never sent", async () => {
    await withRouter(
      async (line) => {
        const { words, tag } = await line.command();
        expect(words).toEqual(["/second"]);
        line.send("!done", `.tag=${tag}`);
      },
      async (router) => {
        const stop = new AbortController();
        const first = rejection(router.call("/first", {}, { signal: stop.signal }));
        const second = router.call("/second");
        // `call` hands the command over in this turn; the write comes at the turn's end.
        stop.abort();
        expect(await first).toBe(stop.signal.reason);
        await second;
        expect(await rejection(router.call("/third", {}, { signal: stop.signal }))).toBe(stop.signal.reason);
      },
    );
  });
});

describe("when the router ends it", () => {
  test.each([
    ["a bare word", ["!fatal", "session terminated on request"]],
    ["a message attribute", ["!fatal", "=message=session terminated on request"]],
  ])("with !fatal and %s, every command learns why", async (_, fatal) => {
    await withRouter(
      async (line) => {
        await line.command();
        line.send(...fatal);
      },
      async (router) => {
        const errors = await Promise.all([rejection(router.call("/quit")), rejection(router.print("/user"))]);
        for (const error of errors) expect(error).toBeInstanceOf(FatalError);
        expect(errors).toMatchObject([
          { operation: "/quit", routerMessage: "session terminated on request", outcomeUnknown: true },
          { operation: "/user/print" },
        ]);
        expect(await router.closed).toBeInstanceOf(FatalError);
        const late = await rejection(router.print("/user"));
        expect(late).toBeInstanceOf(ConnectionClosedError);
        expect(late).toMatchObject({ outcome: "not-sent", outcomeUnknown: false });
      },
    );
  });

  test.each([
    [
      "in the middle of a sentence",
      (tag: string) => rawSentence(["!re", "=a=1", `.tag=${tag}`]).subarray(0, 8),
    ],
    ["before !done", (tag: string) => rawSentence(["!re", "=a=1", `.tag=${tag}`])],
    ["in the middle of a length", () => Buffer.of(0x81)],
  ])("%s, the command is unknown", async (_, bytes) => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.socket.end(bytes(tag));
      },
      async (router) => {
        const error = await rejection(router.call("/user/set", { name: "x" }));
        expect(error).toBeInstanceOf(ConnectionClosedError);
        expect(error).toMatchObject({
          code: "connection-closed",
          outcome: "unknown",
          operation: "/user/set",
        });
        expect(await router.closed).toBeInstanceOf(ConnectionLostError);
      },
    );
  });

  test("by a reset, the cause is kept", async () => {
    await withRouter(
      async (line) => {
        await line.command();
        line.socket.resetAndDestroy();
      },
      async (router) => {
        const error = (await rejection(router.print("/user"))) as ConnectionClosedError;
        expect(error).toMatchObject({ outcome: "unknown", cause: { code: "connection-lost" } });
        expect((error.cause as Error).cause).toMatchObject({ code: "ECONNRESET" });
      },
    );
  });

  test("with bytes that are no sentence, complete replies before them still count", async () => {
    await withRouter(
      async (line) => {
        const [first] = [await line.command(), await line.command()];
        line.socket.write(
          Buffer.concat([rawSentence(["!done", `.tag=${first.tag}`]), Buffer.of(0xff, 0, 0)]),
        );
        await line.end();
      },
      async (router) => {
        const [first, second] = await Promise.allSettled([router.call("/first"), router.call("/second")]);
        expect(first.status).toBe("fulfilled");
        expect(second).toMatchObject({ reason: { code: "protocol-error", operation: "/second" } });
        expect(await router.closed).toBeInstanceOf(ProtocolError);
      },
    );
  });
});

describe("when we end it", () => {
  test("by close, every command ends: those that left are unknown, the others not sent", async () => {
    await withRouter(
      async (line) => {
        await line.command();
        line.send("!done", ".tag=unknown");
        await line.end();
      },
      async (router) => {
        const left = rejection(router.call("/left"));
        await new Promise((resolve) => setImmediate(resolve));
        const waiting = rejection(router.call("/waiting"));
        router.close();
        router.close();
        expect(await left).toMatchObject({ code: "connection-closed", outcome: "unknown" });
        expect(await waiting).toMatchObject({ code: "connection-closed", outcome: "not-sent" });
        expect(await router.closed).toBeUndefined();
        await router.drain();
      },
    );
  });

  test("by drain, what is on its way finishes and nothing new is taken", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!re", "=a=1", `.tag=${tag}`);
        line.send("!done", `.tag=${tag}`);
        await line.end();
      },
      async (router) => {
        const last = router.print("/user");
        const draining = [router.drain(), router.drain()];
        expect(await rejection(router.print("/user"))).toMatchObject({
          code: "connection-closed",
          outcome: "not-sent",
        });
        expect(await last).toEqual([{ a: "1" }]);
        await Promise.all(draining);
        expect(await router.closed).toBeUndefined();
      },
    );
  });

  test("by leaving the scope, it drains", async () => {
    await withRouter(
      async (line) => {
        const { tag } = await line.command();
        line.send("!done", "=ret=1", `.tag=${tag}`);
        await line.end();
      },
      async (opened) => {
        let counted: Promise<number>;
        {
          await using router = opened;
          counted = router.count("/user");
        }
        expect(await counted).toBe(1);
      },
    );
  });

  test("a drain does not wait longer than the commands' deadlines", async () => {
    await withRouter(
      async (line) => {
        await line.command();
        expect((await line.command()).words[0]).toBe("/cancel");
        await line.end();
      },
      async (router) => {
        const silent = rejection(router.call("/silent", {}, { timeoutMs: 20 }));
        await router.drain();
        expect(await silent).toBeInstanceOf(CommandTimeoutError);
      },
    );
  });
});

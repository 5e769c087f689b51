import { expect, test } from "vitest";
import { RouterClient } from "./client.ts";
import { ConnectionClosedError } from "./errors.ts";
import { ROUTER_CERTIFICATE } from "./testing/certificates.ts";
import { RawPeer } from "./testing/raw-peer.ts";
import { LOGIN, rejection, withRouter } from "./testing/with-router.ts";

const LINKS = [
  ["TCP", undefined, undefined],
  ["TLS", ROUTER_CERTIFICATE, { ca: ROUTER_CERTIFICATE.cert }],
] as const;

test.each(LINKS)(
  "over %s the bytes of a connection are counted as they cross the network",
  async (_, server, tls) => {
    await using peer = await RawPeer.listen(async (line) => {
      await line.admit();
      const { tag } = await line.command();
      line.send("!re", `=filler=${"x".repeat(5_000)}`, `.tag=${tag}`);
      line.send("!done", `.tag=${tag}`);
      await line.end();
    }, server);
    const router = await RouterClient.connect({ ...LOGIN, port: peer.port, ...(tls ? { tls } : {}) });
    const before = { read: router.bytesRead, written: router.bytesWritten };
    await router.call("/echo", { filler: "y".repeat(3_000) });
    const read = router.bytesRead - before.read;
    const written = router.bytesWritten - before.written;
    expect(read).toBeGreaterThan(5_000);
    expect(read).toBeLessThan(5_300);
    expect(written).toBeGreaterThan(3_000);
    expect(written).toBeLessThan(3_200);
    expect(before.written).toBeGreaterThan(tls ? 200 : 10);
    router.close();
    await router.closed;
    await peer.finished();
    expect(router.bytesRead - before.read).toBeGreaterThanOrEqual(read);
  },
);

test.each(LINKS)(
  "over %s a connection abandoned is reset and doesn't deliver what waits",
  async (_, server, tls) => {
    const commands = 300;
    const { promise: given, resolve: abandon } = Promise.withResolvers<void>();
    let delivered = 0;
    let end: unknown;
    await using peer = await RawPeer.listen(async (line) => {
      await line.admit();
      // A router that stalls: it reads again when nobody waits for it any more.
      await given;
      try {
        for (;;) {
          await line.command();
          delivered += 1;
        }
      } catch (error) {
        end = error;
      }
    }, server);
    const router = await RouterClient.connect({ ...LOGIN, port: peer.port, ...(tls ? { tls } : {}) });
    const values = { filler: "x".repeat(100_000) };
    const results = Array.from({ length: commands }, () => rejection(router.call("/set", values)));
    await new Promise(setImmediate);
    router.reset();
    router.reset();
    expect(await router.closed).toBeUndefined();
    for (const error of await Promise.all(results)) {
      expect(error).toBeInstanceOf(ConnectionClosedError);
      expect(error).toMatchObject({ outcomeUnknown: true });
    }
    abandon();
    await peer.finished();
    expect(end).toMatchObject({ code: "ECONNRESET" });
    expect(delivered).toBeLessThan(commands);
  },
);

test("a listener yields rows until its signal says stop, and is cancelled by its tag while the connection lives on", async () => {
  const stop = new AbortController();
  await withRouter(
    async (line) => {
      const { words, tag } = await line.command();
      expect(words).toEqual(["/ip/service/listen"]);
      line.send("!re", "=.id=*1", `.tag=${tag}`);
      line.send("!re", "=.id=*1", "=.dead=true", `.tag=${tag}`);
      expect((await line.command()).words).toEqual(["/cancel", `=tag=${tag}`]);
      line.send("!re", "=.id=*2", `.tag=${tag}`);
      const next = await line.command();
      line.send("!done", `.tag=${next.tag}`, "=ret=1");
    },
    async (router) => {
      const heard: unknown[] = [];
      const watch = async () => {
        for await (const row of router.listen("/ip/service", { signal: stop.signal })) {
          heard.push(row[".dead"] ?? row[".id"]);
          if (heard.length === 2) stop.abort(new Error("enough"));
        }
      };
      expect(await rejection(watch())).toMatchObject({ message: "enough" });
      expect(heard).toEqual(["*1", "true"]);
      expect(await router.count("/ip/service")).toBe(1);
    },
  );
});

import { expect, test } from "vitest";
import { RouterClient } from "./client.ts";
import { CommandTimeoutError } from "./errors.ts";
import { RawPeer, rawSentence } from "./testing/raw-peer.ts";
import { LOGIN, rejection } from "./testing/with-router.ts";

test("an announced length within the limit takes only the memory of the bytes that came", async () => {
  const count = 50;
  const prefix = rawSentence(["x".repeat(1024 * 1024 - 16)]).subarray(0, 100);
  await using peer = await RawPeer.listen(async (line) => {
    await line.admit();
    await line.command();
    line.socket.write(prefix);
    await line.command(); // the cancel
    await line.end();
  });
  const before = process.memoryUsage().arrayBuffers;
  const routers = await Promise.all(
    Array.from({ length: count }, () => RouterClient.connect({ ...LOGIN, port: peer.port })),
  );
  const waiting = await Promise.all(
    routers.map((router) => rejection(router.print("/user", { timeoutMs: 100 }))),
  );
  for (const error of waiting) expect(error).toBeInstanceOf(CommandTimeoutError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((count * 1024 * 1024) / 2);
  for (const router of routers) router.close();
  await peer.finished();
});

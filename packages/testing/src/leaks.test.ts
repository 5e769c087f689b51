import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { everythingHeld, hold } from "./held.ts";
import { describeSocket, openSockets, processesOf } from "./processes.ts";
import { waitFor } from "./wait.ts";

/** What has been opened since, in words. */
const since = (before: ReadonlySet<string>) =>
  [...openSockets()].filter((inode) => !before.has(inode)).map(describeSocket);

test("a listener and both ends of a connection are seen with their addresses, until they are closed", async () => {
  const before = openSockets();
  const server = createServer((socket) => socket.on("end", () => socket.end())).listen(0, "127.0.0.1");
  server.unref();
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(since(before)).toEqual([`tcp 127.0.0.1:${port} 0.0.0.0:0 listening`]);
  const client = connect(port, "127.0.0.1");
  await once(client, "connect");
  await waitFor(() => since(before).length === 3);
  expect(since(before)).toContain(`tcp 127.0.0.1:${client.localPort} 127.0.0.1:${port} connected`);
  client.resume().end();
  server.close();
  await waitFor(() => since(before).length === 0, { seen: () => since(before) });
});

test("children are seen, and processes of nobody's that work in the directory, until they end", async () => {
  const directory = await mkdtemp(join(tmpdir(), "leaks-"));
  await mkdir(join(directory, "below"));
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  // A shell that ends at once leaves its own child behind.
  const orphan = "cd below && { sleep 601 & } && echo $!";
  const shell = spawn("sh", ["-c", `${orphan} >&2`], { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  const [printed] = await once(shell.stderr, "data");
  const id = Number(String(printed));
  child.unref();
  const both = [`process ${child.pid}: sleep 600 `, `process ${id}: sleep 601 `];
  const seen = () => processesOf(directory);
  try {
    // Each is a copy of who started it, for a moment.
    await waitFor(() => both.every((one) => seen().includes(one)), { seen });
  } finally {
    process.kill(id);
    child.kill();
  }
  await waitFor(() => seen().length === 0, { seen });
  await rm(directory, { recursive: true });
});

test("what is held is told until it is let go", () => {
  const gone = hold("a thing");
  expect(everythingHeld()).toEqual(["a thing"]);
  gone();
  expect(everythingHeld()).toEqual([]);
});

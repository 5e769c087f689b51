/** Asks for one path over and over on keep-alive connections, with as little work of its own as possible. */
import { once } from "node:events";
import { connect } from "node:net";
import { serveTasks } from "../worker.ts";

interface Load {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  readonly connections: number;
  readonly milliseconds: number;
}

serveTasks({
  async load({ port, path, token, connections, milliseconds }: Load) {
    const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const start = performance.now();
    const until = start + milliseconds;
    const counts = await Promise.all(
      Array.from({ length: connections }, () => askUntil(until, port, request)),
    );
    const seconds = (performance.now() - start) / 1000;
    return { requestsPerSecond: counts.reduce((sum, count) => sum + count, 0) / seconds };
  },
});

/** @returns how many answers came. @throws for an answer other than 200 */
async function askUntil(until: number, port: number, request: string): Promise<number> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  let count = 0;
  let received = "";
  const finished = new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!isWhole(received)) return;
      if (!received.startsWith("HTTP/1.1 200")) reject(new Error(`answered ${received.slice(0, 200)}`));
      received = "";
      count += 1;
      if (performance.now() < until) socket.write(request);
      else resolve();
    });
    socket.on("close", () => reject(new Error("the server closed the connection")));
  });
  socket.write(request);
  await finished.finally(() => socket.destroy());
  return count;
}

/** One request is on its way at a time, so nothing stands behind the answer. */
function isWhole(received: string): boolean {
  const headersEnd = received.indexOf("\r\n\r\n");
  if (headersEnd === -1) return false;
  const length = /content-length: (\d+)/i.exec(received.slice(0, headersEnd))?.[1];
  return received.length >= headersEnd + 4 + Number(length);
}

/** Source and sink, and the one who echoes. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { quantile, secondsOf } from "../harness.ts";
import { serveTasks } from "../worker.ts";

const host = "127.0.0.1";
const CHUNK = Buffer.alloc(64 * 1024, "x");
const PING = Buffer.alloc(64, "x");

/** Told when the sink has read a connection to its end, and how much came. */
let onSunk: (bytes: number) => void = () => {};

serveTasks({
  /** @returns the ports of the sink and of the echo */
  async listen() {
    return { sink: await listen(sink), echo: await listen((socket) => socket.pipe(socket)) };
  },

  /** Send `mebibytes` to the sink behind `port`. */
  async transfer({ port, mebibytes }: { port: number; mebibytes: number }) {
    const sunk = new Promise<number>((resolve) => {
      onSunk = resolve;
    });
    const socket = await open(port);
    const seconds = await secondsOf(async () => {
      for (let sent = 0; sent < mebibytes * 1024 * 1024; sent += CHUNK.length) {
        if (!socket.write(CHUNK)) await once(socket, "drain");
      }
      socket.end();
      const bytes = await sunk;
      if (bytes !== mebibytes * 1024 * 1024) throw new Error(`${bytes} bytes came`);
    });
    socket.destroy();
    return { mebibytesPerSecond: mebibytes / seconds };
  },

  /** Send 64 bytes to the echo behind `port` and wait for them, `count` times. */
  async pingPong({ port, count }: { port: number; count: number }) {
    const socket = await open(port);
    const microseconds = new Float64Array(count);
    for (let i = 0; i < count; i++) microseconds[i] = await roundTrip(socket);
    socket.destroy();
    microseconds.sort();
    return { p50: quantile(microseconds, 0.5), p99: quantile(microseconds, 0.99) };
  },
});

function roundTrip(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    let missing = PING.length;
    const start = performance.now();
    socket.on("data", function receive(chunk) {
      missing -= chunk.length;
      if (missing > 0) return;
      socket.off("data", receive);
      resolve((performance.now() - start) * 1000);
    });
    socket.write(PING);
  });
}

function sink(socket: Socket): void {
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  socket.on("end", () => onSunk(bytes));
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, "connect");
  return socket;
}

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

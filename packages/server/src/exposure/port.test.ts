/** What a port may be: RouterOS's services as far as the emulator has them, other programs, and hostile ones. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Worker } from "node:worker_threads";
import type { ServiceName } from "@portreeve/api-schema";
import { startEmulator } from "@portreeve/emulator";
import { Connection } from "@portreeve/routeros";
import { afterEach, describe, expect, test } from "vitest";
import { lookAt } from "./port.ts";
import { PROTOCOLS } from "./protocols.ts";

const HOST = "127.0.0.1";
const MAX_ANSWER_BYTES = 8 * 1024;
const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of running.splice(0)) await close();
});

/** Run a server until the test is over; its port. */
async function serve(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, HOST);
  await once(server, "listening");
  running.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const listener = (onConnection: (socket: Socket) => void) => serve(createServer(onConnection));

const NEVER = new AbortController().signal;
/** For those that never end by themselves; who is to end is given the whole time. */
const SHORT = { connectMs: 3_000, answerMs: 200 };

async function look(port: number, service: ServiceName, limits?: typeof SHORT, signal = NEVER) {
  const endpoint = { host: HOST, port, localAddress: HOST };
  const seen = await lookAt(endpoint, PROTOCOLS[service], signal, limits);
  return { state: seen.state, ...PROTOCOLS[service].recognise(seen.answer), answer: seen.answer };
}

describe.each(["6.49", "7.9", "7.18", "7.24"])("RouterOS %s", (version) => {
  const started = async (options = {}) => {
    const router = await startEmulator({
      version,
      ports: { api: 0, "api-ssl": 0, ssh: 0, winbox: 0 },
      ...options,
    });
    running.push(() => router.close());
    return router;
  };

  test("is told by its API, in the clear and over TLS without a certificate, and by its SSH", async () => {
    const router = await started();
    const open = { state: "open", software: "routeros", version: null };

    expect(await look(router.port("api"), "api")).toMatchObject(open);
    expect(await look(router.port("api-ssl"), "api_ssl")).toMatchObject(open);
    expect(await look(router.port("ssh"), "ssh")).toMatchObject(open);
    expect(router.control.rows("/log").filter(({ message }) => /fail|logged in/.test(message ?? ""))).toEqual(
      [],
    );
  });

  test("has WinBox open when it keeps a silent client", async () => {
    const router = await started();

    expect(await look(router.port("winbox"), "winbox", SHORT)).toMatchObject({
      state: "open",
      software: "unknown",
    });
  });

  test("closes at once to a source that a service's address list keeps out", async () => {
    const router = await started();
    const list = version === "7.24" ? "available-from" : "address";
    for (const name of ["api", "api-ssl", "ssh", "winbox"]) {
      await router.control.setRow("/ip/service", name, { [list]: "192.0.2.0/24" });
    }

    for (const [name, service] of [
      ["api", "api"],
      ["api-ssl", "api_ssl"],
      ["ssh", "ssh"],
      ["winbox", "winbox"],
    ] as const) {
      expect([name, (await look(router.port(name), service)).state]).toEqual([name, "closes_at_once"]);
    }
  });

  test("is closed where a service is disabled", async () => {
    const router = await started();
    await router.control.setRow("/ip/service", "ssh", { disabled: "yes" });

    expect(await look(router.port("ssh"), "ssh")).toMatchObject({ state: "closed" });
  });
});

test("an SSH server that is none of RouterOS's is told from it", async () => {
  const port = await listener((socket) => socket.write("SSH-2.0-OpenSSH_9.6p1 Debian-3\r\n"));

  expect(await look(port, "ssh")).toMatchObject({ state: "open", software: "other" });
});

test("an API over TLS is told whatever its certificate", async () => {
  const router = await startEmulator({ ports: { api: 0, "api-ssl": 0 } });
  running.push(() => router.close());
  await using admin = await Connection.open({
    host: HOST,
    port: router.port("api"),
    username: "admin",
    password: "",
  });
  const usage = "=key-usage=digital-signature,key-encipherment,tls-server";
  await admin.run([
    "/certificate/add",
    "=name=api",
    "=common-name=other.test",
    "=key-size=prime256v1",
    usage,
  ]);
  await admin.run(["/certificate/sign", "=number=api"]);
  await router.control.setRow("/ip/service", "api-ssl", { certificate: "api" });

  expect(await look(router.port("api-ssl"), "api_ssl")).toMatchObject({
    state: "open",
    software: "routeros",
  });
});

test("a web server is told, in the clear and over TLS", async () => {
  const plain = await serve(createHttpServer((_request, response) => response.end("<h1>It works</h1>")));
  const anonymous = { ciphers: "ADH:@SECLEVEL=0", dhparam: "auto", maxVersion: "TLSv1.2" } as const;
  const tls = await serve(
    createTlsServer(anonymous, (socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.0 200 OK\r\n\r\n<title>RouterOS router configuration page</title></html>");
    }),
  );

  expect(await look(plain, "http")).toMatchObject({ state: "open", software: "other" });
  expect(await look(tls, "https")).toMatchObject({ state: "open", software: "routeros" });
});

test("what does not speak TLS where TLS is expected is open and unknown", async () => {
  const talks = await listener((socket) => socket.write("SSH-2.0-OpenSSH_9.6\r\n"));

  expect(await look(talks, "https")).toMatchObject({ state: "open", software: "unknown" });
  expect(await look(talks, "api_ssl")).toMatchObject({ state: "open", software: "unknown" });
});

test.each(["ssh", "http", "https", "api", "api_ssl", "winbox"] as const)(
  "%s: a socket that never says anything is open and unknown",
  async (service) => {
    const port = await listener((socket) => socket.resume());

    expect(await look(port, service, SHORT)).toMatchObject({ state: "open", software: "unknown" });
  },
);

test.each(["ssh", "ftp", "telnet", "http", "https", "api", "api_ssl", "winbox"] as const)(
  "%s: endless bytes are heard up to a bound",
  async (service) => {
    let sent = 0;
    const port = await listener((socket) => {
      const flood = () => {
        while (!socket.destroyed && socket.write("A".repeat(4096))) sent += 4096;
        if (!socket.destroyed) socket.once("drain", flood);
      };
      flood();
    });

    const { state, answer } = await look(port, service);

    expect(state).toBe("open");
    expect(answer.length).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  },
);

test("one byte at a time without end is left after a while", async () => {
  const port = await listener((socket) => {
    const timer = setInterval(() => socket.write("2"), 20);
    socket.once("close", () => clearInterval(timer));
  });

  expect(await look(port, "ftp", SHORT)).toMatchObject({ state: "open", software: "unknown" });
});

test("a port that closes after a word is open", async () => {
  const port = await listener((socket) => socket.end("no\r\n"));

  expect(await look(port, "ssh")).toMatchObject({ state: "open", software: "unknown" });
});

test("a port nobody listens on is closed", async () => {
  const port = await listener(() => {});
  for (const close of running.splice(0)) await close();

  expect(await look(port, "ssh")).toMatchObject({ state: "closed" });
});

/** A port whose connections nobody takes up: once its queue is full, the kernel answers no more. */
async function unansweredPort(): Promise<number> {
  const source = `
    const { parentPort } = require("node:worker_threads");
    const server = require("node:net").createServer();
    server.listen({ port: 0, host: "${HOST}", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(source, { eval: true });
  const [port] = (await once(worker, "message")) as [number];
  const waiting = Array.from({ length: 8 }, () => connect({ host: HOST, port }).on("error", () => {}));
  running.push(async () => {
    for (const socket of waiting) socket.destroy();
    await worker.terminate();
  });
  await expect.poll(() => waiting.filter((socket) => !socket.connecting).length).toBeGreaterThan(0);
  return port;
}

test("a port from which nothing comes back at all is told as that", async () => {
  const port = await unansweredPort();

  const seen = await look(port, "ssh", { connectMs: 500, answerMs: 200 });

  expect(seen).toMatchObject({ state: "no_answer", software: "unknown" });
});

test("a look is left at once when it is aborted", async () => {
  const abort = new AbortController();
  const port = await listener(() => abort.abort(new Error("enough")));

  await expect(look(port, "winbox", SHORT, abort.signal)).rejects.toThrow("enough");
});

test("an address that is none of this host's is an error and no finding", async () => {
  const endpoint = { host: HOST, port: 9, localAddress: "192.0.2.1" };

  await expect(lookAt(endpoint, PROTOCOLS.ssh, new AbortController().signal)).rejects.toThrow(
    "EADDRNOTAVAIL",
  );
});

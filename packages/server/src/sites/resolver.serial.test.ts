import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { nameResolver } from "./resolver.ts";

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** A name server on loopback. @param answer the reply to a query; undefined: silence */
async function nameServer(answer: (query: Buffer) => Buffer | undefined): Promise<string> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.on("message", (query, from) => {
    const reply = answer(query);
    if (reply) socket.send(reply, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return `127.0.0.1:${socket.address().port}`;
}

/** The query with one A record, or none: RFC 1035, 4.1. A pointer to the question stands for the name. */
function withAddress(query: Buffer, address: readonly number[]): Buffer {
  const isA = query.readUInt16BE(query.indexOf(0, 12) + 1) === 1;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(isA ? 1 : 0, 6);
  header.writeUInt16BE(0, 10);
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address]);
  return Buffer.concat([header, question, ...(isA ? [record] : [])]);
}

test("a name is what the name server says", async () => {
  const server = await nameServer((query) => withAddress(query, [192, 0, 2, 7]));
  expect(await nameResolver([server])("router.example")).toEqual([{ address: "192.0.2.7" }]);
});

test("a name server that is silent fails the name, and holds up no other", async () => {
  const silent = nameResolver([await nameServer(() => undefined)]);
  const waiting = Array.from({ length: 40 }, () => silent("router.example").catch((error) => error.code));
  const server = await nameServer((query) => withAddress(query, [192, 0, 2, 7]));
  const asked = performance.now();
  await nameResolver([server])("other.example");
  expect(performance.now() - asked).toBeLessThan(1_500);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["ETIMEOUT"]));
});

test("a name the name server does not know is looked for where the system finds its own", async () => {
  const server = await nameServer((query) => {
    const reply = withAddress(query, []);
    reply.writeUInt16BE(0x8183, 2);
    reply.writeUInt16BE(0, 6);
    return reply.subarray(0, query.indexOf(0, 12) + 5);
  });
  expect(await nameResolver([server])("localhost")).toContainEqual(
    expect.objectContaining({ address: "127.0.0.1" }),
  );
});

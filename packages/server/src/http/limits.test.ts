import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { route } from "../kernel/route.ts";
import { parseJson } from "./json-body.ts";
import { startTestServer, type TestServer } from "./testing.ts";

const common = {
  path: "/v1/things",
  scope: "sites:write",
  tag: "Test",
  summary: "Nothing",
  output: z.object({}),
} as const;
const routes = [
  route({
    ...common,
    method: "POST",
    input: { body: z.strictObject({ name: z.string().optional(), anything: z.unknown().optional() }) },
    run: ({ mutate }) => mutate(async () => ({})),
  }),
  route({ ...common, method: "GET", run: async () => ({}) }),
];

let server: TestServer;
let strict: TestServer;
beforeAll(async () => {
  server = await startTestServer({ routes });
  strict = await startTestServer({ routes, requestsPerMinute: 5 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await strict[Symbol.asyncDispose]();
});

/** Send bytes as they are, and only then read, until the server closes the connection. */
async function raw(request: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.on("error", () => {});
  const sent = Promise.withResolvers<void>();
  socket.write(request, () => sent.resolve());
  await Promise.race([sent.promise, once(socket, "close")]);
  return await text(socket);
}

const posting = (rest: string) =>
  `POST /v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${server.token}\r\n` +
  `Content-Type: application/json\r\n${rest}`;

test("a body of 10 MB is refused by its length, before any of it arrives", async () => {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write(posting("Content-Length: 10485760\r\n\r\n"));
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
  expect(String(answer)).toContain("application/problem+json");
  expect(String(answer)).toContain('"code":"body-too-large"');
  socket.destroy();
});

test("a client that sends all 10 MB before it listens still reads the refusal", async () => {
  const body = "x".repeat(10 * 1024 * 1024);
  const response = await server.call("POST", "/v1/things", { body });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ code: "body-too-large" });
  const request = posting(`Content-Length: ${body.length}\r\n\r\n${body}`).replace(
    "Connection: close\r\n",
    "",
  );
  expect(await raw(`${request}GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 413 .*HTTP\/1\.1 200 /s,
  );
});

test("a body without a length is cut off once it passes the limit", async () => {
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const answer = await raw(posting(`Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}0\r\n\r\n`));
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
});

test("a body just below the limit is read", async () => {
  const response = await server.call("POST", "/v1/things", { body: { name: "x".repeat(1024 * 1024 - 20) } });
  expect(response.status).toBe(200);
});

test("JSON nested ten thousand levels deep is refused, as objects or as lists", async () => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    const body = `{"anything":${open.repeat(10_000)}1${close.repeat(10_000)}}`;
    const response = await server.call("POST", "/v1/things", { body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed-body" });
  }
});

test("brackets inside strings are no nesting", () => {
  const value = { text: '[[{{"\\'.repeat(100), 'key"[[': 1 };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
  expect(() => parseJson(`"\\"${"[".repeat(100)}`)).toThrow("not valid JSON");
});

test("what is no HTTP is answered with a problem too", async () => {
  const nonsense = await raw("NONSENSE\r\n\r\n");
  expect(nonsense).toMatch(/^HTTP\/1\.1 400 /);
  expect(nonsense).toContain("application/problem+json");
  expect(nonsense).toContain('"code":"malformed-request"');
  expect(await raw(`GET / HTTP/1.1\r\nX: ${"x".repeat(100_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test("a token that asks too often is told when to come back, and another is not affected", async () => {
  const busy = await strict.mint({ scopes: ["sites:write"] });
  const calm = await strict.mint({ scopes: ["sites:write"] });
  // The first request of a token counts by address, as a made-up one does.
  expect((await strict.call("GET", "/v1/things", { token: busy })).status).toBe(200);
  expect((await strict.call("GET", "/v1/things", { token: calm })).status).toBe(200);
  const statuses: number[] = [];
  for (let request = 0; request < 6; request++) {
    statuses.push((await strict.call("GET", "/v1/things", { token: busy })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  const refused = await strict.call("GET", "/v1/things", { token: busy });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(refused.headers.get("x-ratelimit-limit")).toBe("5");
  expect(await refused.json()).toMatchObject({ code: "rate-limited", status: 429 });
  expect((await strict.call("GET", "/v1/things", { token: calm })).status).toBe(200);
});

test("made-up tokens share the rate of their address, and health checks have none", async () => {
  const statuses: number[] = [];
  for (let request = 0; request < 10; request++) {
    statuses.push(
      (await strict.call("GET", "/v1/things", { token: `made-up-${"x".repeat(30)}-${request}` })).status,
    );
  }
  expect(statuses.at(-1)).toBe(429);
  for (let request = 0; request < 10; request++) {
    expect((await strict.call("GET", "/healthz", { token: null })).status).toBe(200);
  }
});

import { Writable } from "node:stream";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { createLogger } from "../kernel/log.ts";
import { route } from "../kernel/route.ts";
import { Secret } from "../vault/index.ts";
import { startTestServer, type TestServer } from "./testing.ts";

const CANARY = "canary-71be02";

let written = "";
const destination = new Writable({
  write(chunk, _encoding, done) {
    written += chunk;
    done();
  },
});
const log = createLogger("trace", destination);

const common = {
  scope: "sites:write",
  tag: "Test",
  summary: "Take a password",
  input: { body: z.strictObject({ password: z.string() }) },
  output: z.object({ password: z.string() }),
  status: 201,
} as const;
const routes = [
  route({
    ...common,
    method: "POST",
    path: "/v1/logins",
    run: ({ body: { password }, mutate }) =>
      mutate(async () => {
        const secret = new Secret(password);
        log.info({ secret, nested: { password } }, `logged in with ${secret}`);
        return { password: secret.reveal() };
      }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/v1/fails",
    run: async ({ body }) => {
      const cause = Object.assign(new Error("the deepest cause"), { detail: body, query: body.password });
      throw new Error("the work failed", { cause: new Error("the cause", { cause }) });
    },
  }),
];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ routes, log });
});
afterAll(() => server[Symbol.asyncDispose]());

test("a Secret prints as [redacted] wherever text is made of it", () => {
  const secret = new Secret(CANARY);
  const forms = [
    `${secret}`,
    String(secret),
    [secret].join(""),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
  ];
  for (const form of forms) {
    expect(form).not.toContain(CANARY);
    expect(form).toContain("[redacted]");
  }
  expect(Object.keys(secret)).toEqual([]);
  expect(secret.reveal()).toBe(CANARY);
});

test("neither tokens, bodies, query strings nor answers reach the log, at its most talkative", async () => {
  written = "";
  const body = { password: CANARY };
  const headers = { "idempotency-key": `key-${CANARY}`, cookie: CANARY, "x-api-key": CANARY };
  const answers = [
    await server.call("POST", "/v1/logins", { body, headers }),
    await server.call("POST", `/v1/logins?password=${CANARY}`, { body, headers }),
    await server.call("POST", "/v1/logins", { body: { ...body, extra: CANARY } }),
    await server.call("POST", "/v1/logins", { body: `{"password":"${CANARY}` }),
    await server.call("POST", "/v1/logins", { body, token: `${CANARY}-${"x".repeat(40)}` }),
    await server.call("POST", "/v1/fails", { body }),
    await server.call("GET", `/nothing?token=${CANARY}`),
  ];
  expect(answers.map((answer) => answer.status)).toEqual([201, 422, 422, 400, 401, 500, 404]);
  expect(written).toContain('"status":201');
  expect(written).not.toContain(CANARY);
  expect(written).not.toContain(server.token);
});

test("an unexpected error is logged once, with its chain of causes and the id of the answer", async () => {
  written = "";
  const response = await server.call("POST", "/v1/fails", { body: { password: CANARY } });
  const errors = written.split("\n").filter((line) => line.includes('"level":50'));
  expect(errors).toHaveLength(1);
  expect(JSON.parse(errors[0] ?? "")).toMatchObject({
    reqId: response.headers.get("x-request-id"),
    err: {
      message: "the work failed",
      cause: { message: "the cause", cause: { message: "the deepest cause" } },
    },
  });
});

test("each answered request is one line that says who asked for what and how it ended", async () => {
  written = "";
  await server.call("POST", "/v1/logins?x=1", { body: {} });
  const lines = written.split("\n").filter((line) => line !== "");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    method: "POST",
    path: "/v1/logins",
    status: 422,
    address: "127.0.0.1",
    customer: server.customerId,
  });
});

import { problem } from "@portreeve/api-schema";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { DomainError } from "../kernel/errors.ts";
import { route } from "../kernel/route.ts";
import { startTestServer, type TestServer } from "./testing.ts";

const CANARY = "canary-9d1f7c";

const input = z.strictObject({
  name: z.string().min(1).max(5),
  port: z.int().min(1).max(65535).optional(),
  kind: z.enum(["winbox", "ssh"]).optional(),
  inner: z.strictObject({ enabled: z.boolean() }).optional(),
  list: z.array(z.string()).optional(),
});

const common = { scope: "sites:write", tag: "Test", summary: "Nothing", output: z.object({}) } as const;
const routes = [
  route({
    ...common,
    method: "POST",
    path: "/v1/things",
    input: { body: input },
    run: ({ mutate }) => mutate(async () => ({})),
  }),
  route({
    ...common,
    method: "GET",
    path: "/v1/things/:id",
    input: { params: z.object({ id: z.guid() }) },
    run: async () => ({}),
  }),
  route({
    ...common,
    method: "GET",
    path: "/v1/broken",
    run: async () => {
      throw new Error(`a secret detail ${CANARY}`, { cause: new Error("the cause") });
    },
  }),
  route({
    ...common,
    method: "GET",
    path: "/v1/conflict",
    run: async () => {
      throw new DomainError({
        status: 409,
        code: "in-use",
        title: "In use",
        detail: "Still in use.",
        headers: { "x-why": "1" },
      });
    },
  }),
  route({
    ...common,
    method: "GET",
    path: "/v1/away/:code",
    input: { params: z.object({ code: z.string() }) },
    run: async ({ params: { code } }) => {
      throw Object.assign(new Error("the database's own words"), { code });
    },
  }),
];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ routes });
});
afterAll(() => server[Symbol.asyncDispose]());

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const body = problem.strict().parse(await response.json());
  expect(body).toMatchObject({ status: response.status, type: `/problems/${body.code}` });
  return body;
}

const post = (body: unknown, headers?: Record<string, string>) =>
  server.call("POST", "/v1/things", { body, ...(headers ? { headers } : {}) });

test("a field that is missing, of the wrong kind or out of range is named with what to change", async () => {
  const response = await post({ port: 70_000, kind: "telnet", inner: { enabled: "yes" }, list: ["a", 1] });
  expect(await problemOf(response)).toMatchObject({
    status: 422,
    code: "validation-failed",
    errors: {
      name: ["is required"],
      port: ["must be at most 65535"],
      kind: ["must be one of winbox, ssh"],
      "inner.enabled": ["must be true or false"],
      "list.1": ["must be text"],
    },
  });
});

test("an unknown field is refused and named where it stands", async () => {
  const body = await problemOf(await post({ name: "a", nmae: 1, inner: { enabled: true, extra: CANARY } }));
  expect(Object.keys(body.errors ?? {}).sort()).toEqual(["inner.extra", "nmae"]);
  expect(JSON.stringify(body)).not.toContain(CANARY);
});

test("very many or very long unknown fields do not make a large answer", async () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, 1]));
  const text = await (await post({ name: "a", ...many, ["x".repeat(100_000)]: 1 })).text();
  expect(text.length).toBeLessThan(20_000);
});

test("a body that is no object or is absent is a validation problem, not a failure", async () => {
  for (const body of [[], '"text"', "null", "17", ""]) {
    expect(await problemOf(await post(body))).toMatchObject({
      status: 422,
      errors: { body: [expect.any(String)] },
    });
  }
});

test("malformed JSON is 400 and the answer quotes none of it", async () => {
  const body = await problemOf(await post(`{"password": "${CANARY}`));
  expect(body).toMatchObject({ status: 400, code: "malformed-body" });
  expect(JSON.stringify(body)).not.toContain(CANARY);
});

test("a __proto__ field is refused, wherever it stands and however it is spelt", async () => {
  for (const text of ['{"name":"a","__proto__":{"x":1}}', '{"inner":{"\\u005f_proto__":{"x":1}}}']) {
    expect(await problemOf(await post(text))).toMatchObject({ status: 400, code: "malformed-body" });
  }
  expect(({} as Record<string, unknown>).x).toBeUndefined();
  const constructed = await problemOf(await post({ name: "a", constructor: { prototype: { x: 1 } } }));
  expect(Object.keys(constructed.errors ?? {})).toEqual(["constructor"]);
});

test("another content type is 415", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml"]) {
    const response = await post("name=a", { "content-type": type });
    expect(await problemOf(response)).toMatchObject({ status: 415, code: "unsupported-media-type" });
  }
});

test("an unknown address is 404 and a wrong method 405 with the right ones", async () => {
  expect(await problemOf(await server.call("GET", "/v1/nothing"))).toMatchObject({
    status: 404,
    code: "not-found",
  });
  const wrong = await server.call("PATCH", "/v1/things");
  expect(wrong.headers.get("allow")).toBe("POST");
  expect(await problemOf(wrong)).toMatchObject({ status: 405, code: "method-not-allowed" });
  const wrongBelow = await server.call("DELETE", "/v1/things/1?x=y");
  expect(wrongBelow.headers.get("allow")).toBe("GET, HEAD");
});

test("a malformed id in a path is 404, as an unknown one is", async () => {
  for (const id of ["1", "not-a-uuid", "%27--", "123e4567-e89b-12d3-a456-42661417400g"]) {
    expect(await problemOf(await server.call("GET", `/v1/things/${id}`))).toMatchObject({ status: 404 });
  }
});

test("a path that can't be decoded is a problem too", async () => {
  expect(await problemOf(await server.call("GET", "/v1/things/%E0%A4%A"))).toMatchObject({ status: 400 });
});

test("a domain's own error keeps its status, code, words and headers", async () => {
  const response = await server.call("GET", "/v1/conflict");
  expect(response.headers.get("x-why")).toBe("1");
  expect(await problemOf(response)).toEqual({
    type: "/problems/in-use",
    title: "In use",
    status: 409,
    detail: "Still in use.",
    code: "in-use",
  });
});

test("an unexpected error is a plain 500 without details", async () => {
  const response = await server.call("GET", "/v1/broken");
  expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  const body = await problemOf(response);
  expect(body).toMatchObject({ status: 500, code: "internal-error" });
  expect(JSON.stringify(body)).not.toContain(CANARY);
});

test("a database that is away or too busy is 503 with a time to come back", async () => {
  for (const code of ["ECONNREFUSED", "57P01", "40P01", "57014"]) {
    const response = await server.call("GET", `/v1/away/${code}`);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await problemOf(response)).toMatchObject({ status: 503, code: "database-unavailable" });
  }
});

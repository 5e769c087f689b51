import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../http/testing.ts";
import { tokenRoutes } from "./routes.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ modules: ({ database }) => [tokenRoutes({ database })] });
});
afterAll(() => server[Symbol.asyncDispose]());

test("a new token is shown once, works at once, and is refused once revoked", async () => {
  const made = await server.call("POST", "/v1/tokens", { body: { name: "ops", scopes: ["tokens:read"] } });
  expect(made.status).toBe(201);
  expect(made.headers.get("cache-control")).toBe("no-store");
  const { id, token } = (await made.json()) as { id: string; token: string };
  expect(token).toMatch(/^prv_[0-9a-f]{8}_[A-Za-z0-9]{32}_[A-Za-z0-9]{6}$/);

  const list = await server.call("GET", "/v1/tokens", { token });
  expect(list.status).toBe(200);
  expect(await list.text()).not.toContain(token);

  expect((await server.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
  expect((await server.call("GET", "/v1/tokens", { token })).status).toBe(401);
});

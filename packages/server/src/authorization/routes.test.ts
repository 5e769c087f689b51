import { expect, test } from "vitest";
import type { Route } from "../kernel/route.ts";
import { assertScopes } from "./routes.ts";

const route = (method: Route["method"], path: Route["path"], scope: Route["scope"]): Route => ({
  method,
  path,
  scope,
  tag: "Test",
  summary: "Nothing",
  run: async () => undefined,
});

test("a route with another scope than the table's, one it does not know and one that is missing are all named", () => {
  const routes = [
    route("DELETE", "/v1/tokens/:id", "tokens:read"),
    route("GET", "/v1/tokens", "tokens:read"),
    route("GET", "/v1/new", "audit:read"),
  ];
  let message = "";
  try {
    assertScopes(routes);
  } catch (error) {
    message = (error as Error).message;
  }
  const lines = message.split("\n");
  expect(lines).toContain("DELETE /v1/tokens/:id: tokens:read, in authorization/routes.ts tokens:write");
  expect(lines).toContain("GET /v1/new: audit:read, in authorization/routes.ts nothing");
  expect(lines).toContain("GET /v1/audit: no route, in authorization/routes.ts audit:read");
  expect(lines.filter((line) => line.startsWith("GET /v1/tokens:"))).toEqual([]);
});

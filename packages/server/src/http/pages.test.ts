import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditRoutes } from "../audit/index.ts";
import { tokenRoutes } from "../tokens/index.ts";
import { startTestServer, type TestServer } from "./testing.ts";

let portalRoot: string;
let server: TestServer;
let notReady: string | undefined;
beforeAll(async () => {
  portalRoot = await mkdtemp(join(tmpdir(), "portreeve-portal-"));
  await mkdir(join(portalRoot, "assets"));
  await writeFile(join(portalRoot, "index.html"), "<!doctype html><title>the portal</title>");
  await writeFile(join(portalRoot, "assets", "app.js"), "export {};");
  server = await startTestServer({
    portalRoot,
    routes: [...tokenRoutes(), ...auditRoutes()],
    problems: async () => (notReady === undefined ? {} : { gateway: notReady }),
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(portalRoot, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) =>
  server.call("GET", path, { token: null, headers });

test("the portal is served at /, and a browser asks whether its copies are still good", async () => {
  const page = await get("/", { accept: "text/html" });
  expect(await page.text()).toContain("the portal");
  const script = await get("/assets/app.js");
  expect(script.headers.get("content-type")).toMatch(/javascript/);
  for (const response of [page, script]) {
    expect(response.headers.get("cache-control")).toBe("no-cache");
    const again = await get(new URL(response.url).pathname, {
      // Else fetch adds no-cache by itself, which asks for the whole file.
      "cache-control": "max-age=0",
      "if-none-match": response.headers.get("etag") ?? "",
    });
    expect(again.status).toBe(304);
  }
});

test("what is no page of the portal stays 404", async () => {
  expect((await get("/sites/42", { accept: "text/html" })).status).toBe(404);
  expect((await get("/v1/nothing", { accept: "text/html" })).status).toBe(404);
  expect((await get("/assets/nothing.js")).status).toBe(404);
  expect((await get("/../../etc/passwd")).status).toBe(404);
  expect((await get("/assets/..%2f..%2fetc%2fpasswd")).status).toBe(404);
});

test("every page forbids foreign and inline scripts, framing and sniffing", async () => {
  for (const path of ["/", "/docs"]) {
    const response = await get(path, { accept: "text/html" });
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    // Either would keep a browser from a server that answers plain HTTP.
    expect(policy).not.toContain("upgrade-insecure-requests");
    expect(response.headers.get("strict-transport-security")).toBeNull();
    expect(response.headers.get("x-frame-options")).toBe("DENY");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  }
  const api = await get("/v1/tokens");
  expect(api.headers.get("x-content-type-options")).toBe("nosniff");
  expect(api.headers.get("x-frame-options")).toBe("DENY");
  expect(api.headers.get("referrer-policy")).toBe("no-referrer");
  expect(api.headers.get("content-security-policy")).toBeNull();
});

test("the documentation page loads nothing from another host and runs no inline script", async () => {
  const html = await (await get("/docs")).text();
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>\s*\S/);
  const scripts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
  expect(scripts.length).toBeGreaterThan(2);
  for (const path of scripts) {
    const asset = await fetch(new URL(path, `${server.url}/docs/`));
    expect(asset.status, path).toBe(200);
    await asset.body?.cancel();
  }
});

test("the OpenAPI document shows every route with its scope, its answers and the form of problems", async () => {
  const document = (await (await get("/openapi.json")).json()) as {
    openapi: string;
    paths: Record<
      string,
      Record<string, { description: string; responses: Record<string, unknown>; security: unknown }>
    >;
    components: { schemas: Record<string, unknown> };
  };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths).sort()).toEqual(["/v1/audit", "/v1/tokens", "/v1/tokens/{id}"]);
  const create = document.paths["/v1/tokens"]?.post;
  expect(create?.description).toContain("tokens:write");
  expect(create?.security).toEqual([{ bearer: ["tokens:write"] }]);
  expect(Object.keys(create?.responses ?? {})).toEqual(["201", "default"]);
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining(["Problem", "Token", "TokenInput"]),
  );
  expect(JSON.stringify(document)).not.toContain("undefined");
});

test("/healthz answers while the process lives, /readyz only when every part works", async () => {
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).status).toBe(200);
  notReady = "its ports are taken";
  const response = await get("/readyz");
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({
    code: "not-ready",
    detail: "gateway: its ports are taken",
    errors: { gateway: ["its ports are taken"] },
  });
  expect((await get("/healthz")).status).toBe(200);
  notReady = undefined;
});

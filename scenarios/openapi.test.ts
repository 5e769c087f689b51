/** The API describes itself: an OpenAPI 3.1 document that leaves out no route, and a page that needs no other host. */
import { expect, vi } from "vitest";
import { chromiumMissing, launchBrowser, Visitor } from "./harness/browser.ts";
import { expectStatus } from "./harness/index.ts";
import { documentedRoutes } from "./harness/routes.ts";
import { scenario } from "./harness/scenario.ts";

/**
 * Every route the server has registered, seen by Fastify itself; without WebSockets, where gateways dial the control
 * plane: OpenAPI has no words for them.
 */
const registered = vi.hoisted(() => [] as { method: string; url: string }[]);

interface WatchedRoute {
  readonly method: string | string[];
  readonly url: string;
  readonly websocket?: boolean;
}

interface WatchedApp {
  addHook(name: "onRoute", hook: (route: WatchedRoute) => void): void;
}

vi.mock("fastify", async (importOriginal) => {
  const original = await importOriginal<{ default: (options: unknown) => WatchedApp }>();
  const build = (options: unknown) => {
    const app = original.default(options);
    app.addHook("onRoute", ({ method, url, websocket }) => {
      if (websocket) return;
      for (const one of [method].flat()) registered.push({ method: one, url });
    });
    return app;
  };
  return { ...original, default: build };
});

const test = scenario.extend("document", { scope: "file" }, async ({ server }) =>
  expectStatus(await server.api.get("/openapi.json", { token: null }), 200),
);

test("the document is OpenAPI 3.1 with a title, a version and bearer tokens", ({ document }) => {
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect(document.info).toMatchObject({ title: "Portreeve", version: expect.any(String) });
  expect(document.components.securitySchemes.bearer).toEqual({ type: "http", scheme: "bearer" });
});

test("every route below /v1 is in the document", async ({ server }) => {
  const documented = (await documentedRoutes(server.api)).map(({ method, path }) => `${method} ${path}`);
  const below = registered.filter(({ method, url }) => url.startsWith("/v1") && method !== "HEAD");
  const known = below.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, "{$1}")}`);
  expect(known.length).toBeGreaterThan(20);
  expect([...new Set(known)].toSorted()).toEqual(documented.toSorted());
});

test("every operation says what it does, who may, what it takes and how it answers errors", ({
  document,
}) => {
  const names = new Set<string>();
  for (const [path, operations] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const where = `${method} ${path}`;
      expect([where, operation.summary]).toEqual([where, expect.stringMatching(/^[A-Z].{5,}/)]);
      expect([where, operation.security]).toEqual([
        where,
        [{ bearer: [expect.stringMatching(/^\w+:[\w-]+$/)] }],
      ]);
      expect([where, operation.tags?.length]).toEqual([where, 1]);
      const declared = (operation.parameters ?? [])
        .filter((one) => one.in === "path")
        .map(({ name }) => name);
      expect([where, declared.toSorted()]).toEqual([
        where,
        [...path.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).toSorted(),
      ]);
      const { default: error, ...good } = operation.responses;
      expect([where, JSON.stringify(error?.content?.["application/problem+json"])]).toEqual([
        where,
        expect.stringContaining("#/components/schemas/Problem"),
      ]);
      expect([where, Object.keys(good)]).toEqual([where, [expect.stringMatching(/^20[0-4]$/)]]);
      names.add(where);
    }
  }
  expect(names.size).toBeGreaterThan(20);
});

interface Operation {
  summary?: string;
  tags?: string[];
  security?: unknown;
  parameters?: { in: string; name: string }[];
  responses: Record<string, { content?: Record<string, unknown> } | undefined>;
}

test("every reference in the document leads somewhere", ({ document }) => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    (match) => match[1] as string,
  );
  expect(references.length).toBeGreaterThan(20);
  for (const reference of references) {
    const [start, ...steps] = reference.split("/");
    expect(start).toBe("#");
    expect([reference, steps.reduce((at, step) => at?.[step], document)]).toEqual([
      reference,
      expect.anything(),
    ]);
  }
});

test("the page and everything it loads come from us, and the browser is told to load nothing else", async ({
  server,
}) => {
  const page = await fetch(`${server.api.url}/docs`);
  const html = await page.text();
  expect(page.status).toBe(200);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/default-src 'self'/);
  expect(policy).toMatch(/connect-src 'self'/);
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
  expect(links.length).toBeGreaterThan(4);
  for (const link of links) {
    expect(new URL(link, page.url).origin).toBe(server.api.url);
    expect((await fetch(new URL(link, page.url))).status).toBe(200);
  }
});

const note = chromiumMissing === undefined ? "" : ` (skipped: ${chromiumMissing})`;

test.skipIf(chromiumMissing !== undefined)(
  `a browser shows every group of routes and asks no other host${note}`,
  async ({ server, document }) => {
    await using closing = new AsyncDisposableStack();
    const browser = await launchBrowser();
    closing.defer(() => browser.close());
    await using visitor = await Visitor.open(browser, `${server.api.url}/docs`);
    const tags = new Set(
      Object.values<Record<string, Operation>>(document.paths)
        .flatMap((one) => Object.values(one))
        .flatMap((one) => one.tags ?? []),
    );
    for (const tag of tags) await visitor.page.locator(`.opblock-tag[data-tag="${tag}"]`).waitFor();
    const count = Object.values<object>(document.paths).flatMap((one) => Object.keys(one)).length;
    expect(await visitor.page.locator(".opblock").count()).toBe(count);
    const hosts = new Set(
      visitor.requests.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).origin),
    );
    expect([...hosts]).toEqual([server.api.url]);
    expect(visitor.surprises).toEqual([]);
  },
);

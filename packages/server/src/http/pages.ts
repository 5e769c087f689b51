/** The portal's files and the page of the documentation, and the headers of every answer. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyHelmet, { type FastifyHelmetOptions } from "@fastify/helmet";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Everything from here, nothing inline: text a router sent us can't become a script. */
const DIRECTIVES = {
  "default-src": ["'self'"],
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  "connect-src": ["'self'"],
  "img-src": ["'self'", "data:"],
  "object-src": ["'none'"],
  "base-uri": ["'none'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
};

/** By hand, because helmet takes half the rate of a bare route; pages get the rest from it. */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What every answer carries, pages and API alike. */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...HEADERS, "x-request-id": request.id });
  });
}

/**
 * Routes of pages for people: all that `addPages` registers is answered with helmet's headers.
 * @param directives added to the content security policy, or in place of the same ones
 */
export function addPages(
  app: FastifyInstance,
  directives: Readonly<Record<string, string[]>>,
  addRoutes: (pages: FastifyInstance) => void,
): void {
  const options: FastifyHelmetOptions = {
    contentSecurityPolicy: { useDefaults: false, directives: { ...DIRECTIVES, ...directives } },
    // Many reach a server of their own by plain HTTP, and a browser remembers HSTS for the whole host name.
    hsts: false,
    xFrameOptions: { action: "deny" },
  };
  app.register(async (pages) => {
    await pages.register(fastifyHelmet, options);
    addRoutes(pages);
  });
}

/**
 * Serve the portal at `/`.
 * @param root its files; without an index.html there no portal is served
 */
export function servePortal(app: FastifyInstance, root: string | undefined): void {
  if (root === undefined || !existsSync(join(root, "index.html"))) return;
  addPages(app, {}, (pages) => {
    pages.register(fastifyStatic, {
      root,
      // Each file is a route of its own, found at the start: no path is made from what somebody sends.
      wildcard: false,
      // File names stay the same from version to version, so a browser asks whether its copy is still the one.
      setHeaders: (reply) => reply.header("cache-control", "no-cache"),
    });
  });
}

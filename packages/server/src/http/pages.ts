/** The portal's files, and the headers of every answer. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Everything from here, nothing inline: text a router sent us can't become a script. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** swagger-ui sets styles inline; it shows our own schemas only. */
const DOCS_POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ ...HEADERS, "x-request-id": request.id });
  });
  app.addHook("onSend", async (request, reply) => {
    if (!String(reply.getHeader("content-type") ?? "").startsWith("text/html")) return;
    const isDocs = request.routeOptions.url?.startsWith("/docs") ?? false;
    reply.header("content-security-policy", isDocs ? DOCS_POLICY : CONTENT_SECURITY_POLICY);
  });
}

/**
 * Serve the portal at `/`.
 * @param root its files; without an index.html there no portal is served
 */
export function servePortal(app: FastifyInstance, root: string | undefined): void {
  if (root === undefined || !existsSync(join(root, "index.html"))) return;
  app.register(fastifyStatic, {
    root,
    // Each file is a route of its own, found at the start: no path is made from what somebody sends.
    wildcard: false,
    // File names stay the same from version to version, so a browser asks whether its copy is still the one.
    setHeaders: (reply) => reply.header("cache-control", "no-cache"),
  });
}

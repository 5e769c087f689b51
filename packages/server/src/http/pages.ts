/** The portal's files, and the headers of every answer. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Scripts from here only, nothing inline. Inline styles: the portal's component library and swagger-ui set them. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

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
  app.addHook("onSend", async (_request, reply) => {
    const type = String(reply.getHeader("content-type") ?? "");
    if (type.startsWith("text/html")) reply.header("content-security-policy", CONTENT_SECURITY_POLICY);
  });
}

/**
 * Serve the portal at `/`.
 * @param root the built files; without an index.html there no portal is served
 * @returns answers a page address only the portal's own router knows, or says that it is none
 */
export function servePortal(
  app: FastifyInstance,
  root: string | undefined,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined {
  if (root === undefined || !existsSync(join(root, "index.html"))) return () => undefined;
  app.register(fastifyStatic, {
    root,
    wildcard: false,
    // File names of the build carry a hash of their content, except the page that names them.
    setHeaders: (reply, path) =>
      reply.header(
        "cache-control",
        path.endsWith(".html") ? "no-cache" : "public, max-age=31536000, immutable",
      ),
  });
  return (request, reply) => {
    const wantsPage = request.method === "GET" && (request.headers.accept ?? "").includes("text/html");
    const isPage = !/^\/(v1|docs|openapi\.json)(\/|$|\?)/.test(request.url);
    return wantsPage && isPage ? reply.sendFile("index.html") : undefined;
  };
}

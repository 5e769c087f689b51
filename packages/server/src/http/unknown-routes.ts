import type { FastifyInstance } from "fastify";
import { NotFoundError } from "../kernel/errors.ts";
import { MethodNotAllowedError } from "./errors.ts";
import { pathOf } from "./request-log.ts";

/**
 * Answers what no route matched: 405 when another method would have been right, else 404.
 * Fastify itself answers 404 to a wrong method.
 */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, methods);
    for (const one of [method].flat()) methods.add(one);
  });
  app.setNotFoundHandler((request) => {
    const allowed = new Set<string>();
    for (const [pattern, methods] of methodsOf) {
      if (matches(pattern, pathOf(request))) for (const method of methods) allowed.add(method);
    }
    if (allowed.size > 0) throw new MethodNotAllowedError([...allowed].sort());
    throw new NotFoundError();
  });
}

/** Route patterns here are plain segments and `:name`; a wildcard belongs to a plugin's own files. */
function matches(pattern: string, path: string): boolean {
  const expected = pattern.split("/");
  const sent = path.split("/");
  return (
    expected.length === sent.length &&
    expected.every((segment, index) =>
      segment.startsWith(":") ? sent[index] !== "" : segment === sent[index],
    )
  );
}

/** The OpenAPI document at /openapi.json and its page at /docs, made from the schemas that validate. */
import swagger, { type SwaggerTransform } from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { PROBLEM_MEDIA_TYPE, problem } from "@portreeve/api-schema";
import type { FastifyInstance } from "fastify";
import { openApiTransforms } from "./openapi.ts";
import { addPages } from "./pages.ts";

const info = {
  title: "Portreeve",
  version: "1",
  description:
    "Every error is application/problem+json. Every POST honours the Idempotency-Key header. Unknown fields are refused.",
};

export function documentApi(app: FastifyInstance): void {
  app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info,
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    ...openApiTransforms(describeRoute),
  });
  // swagger-ui sets styles inline; it shows our own schemas only.
  addPages(app, { "style-src": ["'self'", "'unsafe-inline'"] }, (pages) => {
    pages.register(swaggerUi, {
      routePrefix: "/docs",
      uiConfig: { validatorUrl: null, persistAuthorization: false },
    });
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

/** Says of each route which scope it needs and how it answers errors, so that no module has to. */
function describeRoute({ url, route, schema }: Parameters<SwaggerTransform>[0]) {
  if (!url.startsWith("/v1/") || schema?.hide) return undefined;
  return {
    ...schema,
    security: [{ bearer: [route.config?.scope] }],
    description: [schema?.description, `Needs the scope \`${route.config?.scope}\`.`]
      .filter(Boolean)
      .join(" "),
    response: {
      ...(schema?.response as object | undefined),
      default: { description: "An error", content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } } },
    },
  };
}

/** The OpenAPI document at /openapi.json and its page at /docs, made from the schemas that validate. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { PROBLEM_MEDIA_TYPE, problem } from "@portreeve/api-schema";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";

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
    transform: describeRoute,
    transformObject: jsonSchemaTransformObject,
  });
  app.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { validatorUrl: null, persistAuthorization: false },
  });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}

/** Says of each route which scope it needs and how it answers errors, so that no module has to. */
const describeRoute: typeof jsonSchemaTransform = (document) => {
  if (!document.url.startsWith("/v1")) return { schema: { hide: true }, url: document.url };
  const { scope } = document.route.config ?? {};
  const schema = {
    ...document.schema,
    security: [{ bearer: [] }],
    description: [document.schema?.description, `Needs the scope \`${scope}\`.`].filter(Boolean).join(" "),
    response: {
      ...(document.schema?.response as object | undefined),
      default: { description: "An error", content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } } },
    },
  };
  return jsonSchemaTransform({ ...document, schema });
};

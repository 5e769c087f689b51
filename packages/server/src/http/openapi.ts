/**
 * Route schemas (zod) as an OpenAPI 3.1 document. A schema with an id becomes a component of that name; only where a
 * schema is used both ways and reads differently (a field with a default is optional when sent, present when
 * answered) does the form that is sent get `Input` after its name.
 */
import type { SwaggerTransform, SwaggerTransformObject } from "@fastify/swagger";
import { z } from "zod";

type Direction = "input" | "output";
type Json = Record<string, unknown>;

const COMPONENTS = "#/components/schemas/";

export interface OpenApiTransforms {
  transform: SwaggerTransform;
  transformObject: SwaggerTransformObject;
}

/** @param describe adds to a route's schema, or returns undefined for a route that is not shown */
export function openApiTransforms(
  describe: (route: Parameters<SwaggerTransform>[0]) => Json | undefined,
): OpenApiTransforms {
  const used: Record<Direction, Map<string, Json>> = { input: new Map(), output: new Map() };
  return {
    transform: (route) => {
      const described = describe(route);
      if (!described) return { schema: { hide: true }, url: route.url };
      const { body, params, querystring, response, ...rest } = described;
      const inputs = Object.entries({ body, params, querystring }).filter(([, schema]) => isZod(schema));
      const schema = {
        ...rest,
        ...Object.fromEntries(
          inputs.map(([part, schema]) => [part, toJson(schema as z.ZodType, "input", used.input)]),
        ),
        response: answersOf((response ?? {}) as Json, used.output),
      };
      return { schema, url: route.url };
    },
    transformObject: (document) => {
      if (!("openapiObject" in document)) throw new TypeError("only OpenAPI documents are made here");
      return nameComponents(document.openapiObject as Json, used) as ReturnType<SwaggerTransformObject>;
    },
  };
}

/** Status -> schema, or status -> {description, content: {type: {schema}}}. */
function answersOf(response: Json, used: Map<string, Json>): Json {
  const answers = Object.entries(response).map(([status, answer]) => {
    if (isZod(answer)) return [status, toJson(answer, "output", used)];
    const { content, ...rest } = answer as { content: Record<string, { schema: z.ZodType }> };
    const types = Object.entries(content).map(([type, { schema }]) => [
      type,
      { schema: toJson(schema, "output", used) },
    ]);
    return [status, { ...rest, content: Object.fromEntries(types) }];
  });
  return Object.fromEntries(answers);
}

function isZod(value: unknown): value is z.ZodType {
  return value instanceof z.ZodType;
}

/** JSON Schema of one use; schemas with an id below it go into `used`, references name their direction. */
function toJson(schema: z.ZodType, io: Direction, used: Map<string, Json>): Json {
  if (schema instanceof z.ZodUndefined) return { type: "null", description: "No content" };
  // Inside an object, so that a schema that itself has an id comes out as a reference too.
  const { $defs, properties } = z.toJSONSchema(z.object({ root: schema }), {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // The format says it; zod's own patterns for a UUID or a time fill half the document.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.id;
    },
  });
  for (const [id, definition] of Object.entries($defs ?? {})) used.set(id, point(definition as Json, io));
  return point(properties?.root as Json, io);
}

/** References to `$defs` become references to components, marked by direction until the names are decided. */
function point(json: Json, io: Direction): Json {
  return rename(json, (reference) => reference.replace(/^#\/\$defs\/(.*)$/, `${COMPONENTS}$1:${io}`));
}

function nameComponents(document: Json, used: Record<Direction, Map<string, Json>>): Json {
  const asReference = (reference: string) => {
    const [, id = "", io] = /^#\/components\/schemas\/(.*):(input|output)$/.exec(reference) ?? [];
    return io === undefined ? reference : COMPONENTS + nameOf(id, io as Direction, used);
  };
  const schemas: Json = {};
  for (const io of ["input", "output"] as const) {
    for (const [id, json] of used[io]) schemas[nameOf(id, io, used)] = rename(json, asReference);
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    ...rename(document, asReference),
    components: { ...(document.components as Json), schemas: sorted },
  };
}

function nameOf(id: string, io: Direction, used: Record<Direction, Map<string, Json>>): string {
  const [input, output] = [used.input.get(id), used.output.get(id)];
  const differs =
    input !== undefined && output !== undefined && withoutDirection(input) !== withoutDirection(output);
  return io === "input" && differs ? `${id}Input` : id;
}

function withoutDirection(json: Json): string {
  return JSON.stringify(json).replace(/:(input|output)"/g, '"');
}

/** A copy with every `$ref` changed. */
function rename<Value>(value: Value, change: (reference: string) => string): Value {
  return JSON.parse(JSON.stringify(value), (key, inner) =>
    key === "$ref" && typeof inner === "string" ? change(inner) : inner,
  );
}

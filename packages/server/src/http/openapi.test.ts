import swagger from "@fastify/swagger";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { z } from "zod";
import { openApiTransforms } from "./openapi.ts";

const colour = z.enum(["red", "green"]).meta({ id: "TestColour" });
const thing = z.strictObject({ colour, size: z.int().default(1) }).meta({ id: "TestThing" });
const made = z.object({ id: z.guid(), things: z.array(thing) }).meta({ id: "TestMade" });

async function documentOf(body: z.ZodType, answer: z.ZodType) {
  const app = Fastify();
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: "t", version: "1" } },
    ...openApiTransforms(({ schema }) => schema as Record<string, unknown>),
  });
  const querystring = z.strictObject({ limit: z.coerce.number().int().max(9).default(5) });
  app.post(
    "/things/:id",
    {
      schema: {
        body,
        querystring,
        params: z.object({ id: z.guid() }),
        response: { 201: answer, 204: z.undefined() },
      },
    },
    async () => ({}),
  );
  await app.ready();
  return JSON.parse(JSON.stringify(app.swagger()));
}

test("schemas with an id become components under just that name", async () => {
  const { components, paths } = await documentOf(thing, z.array(colour));
  expect(Object.keys(components.schemas)).toEqual(["TestColour", "TestThing"]);
  expect(components.schemas.TestThing.properties.colour).toEqual({ $ref: "#/components/schemas/TestColour" });
  const { post } = paths["/things/{id}"];
  expect(post.requestBody.content["application/json"].schema).toEqual({
    $ref: "#/components/schemas/TestThing",
  });
  expect(post.responses["201"].content["application/json"].schema.items.$ref).toBe(
    "#/components/schemas/TestColour",
  );
});

test("a schema that reads differently when sent gets a name of its own for that", async () => {
  const { components } = await documentOf(thing, made);
  expect(Object.keys(components.schemas)).toEqual(["TestColour", "TestMade", "TestThing", "TestThingInput"]);
  expect(components.schemas.TestThing.required).toEqual(["colour", "size"]);
  expect(components.schemas.TestThingInput.required).toEqual(["colour"]);
  expect(components.schemas.TestMade.properties.things.items.$ref).toBe("#/components/schemas/TestThing");
});

test("parameters are spelt out, an empty answer has no content, formats need no pattern", async () => {
  const { components, paths } = await documentOf(thing, made);
  const { post } = paths["/things/{id}"];
  const parameters = post.parameters as { in: string; name: string; required: boolean; schema: unknown }[];
  expect(parameters.map((parameter) => [parameter.in, parameter.name, parameter.required])).toEqual([
    ["query", "limit", false],
    ["path", "id", true],
  ]);
  expect(parameters[0]?.schema).toMatchObject({ type: "integer", default: 5, maximum: 9 });
  expect(post.responses["204"].content).toBeUndefined();
  expect(components.schemas.TestMade.properties.id).toEqual({ type: "string", format: "uuid" });
});

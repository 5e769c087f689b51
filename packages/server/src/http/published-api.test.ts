import { expect, test } from "vitest";
import { brokenPromises, publishedApi } from "./published-api.fixture.ts";

interface Document extends Record<string, unknown> {
  // biome-ignore lint/suspicious/noExplicitAny: the document is JSON of a foreign format, changed in many places here
  paths: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  components: any;
}

const changed = (change: (document: Document) => void) => {
  const document = structuredClone(publishedApi) as Document;
  change(document);
  return brokenPromises(publishedApi, document);
};

test("a document breaks no promise of its own, nor one that has more paths, fields and values, or better words", () => {
  expect(changed(() => {})).toEqual([]);
  expect(
    changed(({ paths, components: { schemas } }) => {
      paths["/v1/new"] = { post: { parameters: [{ in: "query", name: "new", required: true }] } };
      paths["/v1/sites"].get.summary = "Show all sites";
      paths["/v1/sites"].get.parameters.unshift({ in: "query", name: "tag", required: false });
      schemas.Site.properties.notes = { type: "string" };
      schemas.Site.required.push("notes");
      schemas.Scope.enum.push("jobs:read");
      schemas.New = { type: "object", required: ["name"] };
    }),
  ).toEqual([]);
});

test.each<[string, (document: Document) => void, string]>([
  ["a path", ({ paths }) => delete paths["/v1/audit"], "#/paths//v1/audit is gone"],
  ["a method", ({ paths }) => delete paths["/v1/sites"].post, "#/paths//v1/sites/post is gone"],
  ["a status", ({ paths }) => delete paths["/v1/sites"].post.responses["201"], "responses/201 is gone"],
  ["a parameter", ({ paths }) => paths["/v1/sites"].get.parameters.shift(), "get/parameters lacks"],
  ["a field", ({ components }) => delete components.schemas.Site.properties.name, "properties/name is gone"],
  ["a value", ({ components }) => components.schemas.Scope.enum.shift(), 'Scope/enum lacks "sites:read"'],
  [
    "the promise that a field is always there",
    ({ components }) => components.schemas.Site.required.shift(),
    "Site/required lacks",
  ],
])("%s that is gone is named", (_, change, expected) => {
  expect(changed(change)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]));
});

test("another scope, and whatever a request needs now and did not before, are named", () => {
  expect(
    changed(({ paths }) => {
      paths["/v1/sites"].get.security = [{ bearer: ["sites:write"] }];
    }),
  ).toEqual([expect.stringContaining("#/paths//v1/sites/get/security lacks")]);
  expect(changed(({ components }) => components.schemas.SiteInput.required.push("tags"))).toEqual([
    "#/components/schemas/SiteInput tags is needed now",
  ]);
  expect(
    changed(({ paths }) => {
      paths["/v1/sites"].get.parameters.unshift({ in: "query", name: "tag", required: true });
    }),
  ).toEqual(["#/paths//v1/sites/get/parameters/tag is needed now"]);
});

import { expect, test } from "vitest";
import { makeSlug } from "./slug.ts";

test.each([
  ["My New Policy", /^my-new-policy-[A-Za-z0-9]{10}$/],
  ["  testin 333 ", /^testin-333-[A-Za-z0-9]{10}$/],
  ["Zürich/Süd", /^zurich-sud-[A-Za-z0-9]{10}$/],
  ["東京", /^policy-[A-Za-z0-9]{10}$/],
])("the slug of %j is its URL form and ten random characters", (name, form) => {
  expect(makeSlug(name)).toMatch(form);
  expect(makeSlug(name)).not.toBe(makeSlug(name));
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

test("the example in the README is the one that is run here", () => {
  expect(read("../README.md")).toContain(`\`\`\`ts\n${read("./example.test.ts")}\`\`\``);
});

import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { expect, test } from "vitest";
import { importsOf, MAY_IMPORT, wrongImports } from "./imports.fixture.ts";

const root = import.meta.dirname;
/** Tests and what only they use may reach into anything. */
const isForTests = (file: string) =>
  /\.(test|fixture)\.ts$|(^|\/)testing\.ts$|(^|\/)test-[^/]*\.ts$/.test(file);

async function sources(): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true });
  const files = entries
    .map((entry) => entry.split(sep).join("/"))
    .filter((entry) => entry.endsWith(".ts") && !isForTests(entry));
  return new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

test("every file imports only what the picture in ARCHITECTURE.md lets it", async () => {
  const files = await sources();
  expect(files.size).toBeGreaterThan(100);
  expect([...files].flatMap(([file, source]) => wrongImports(file, source))).toEqual([]);
});

test("no module is below itself, by whatever way round", () => {
  const below = (module: string, path: readonly string[] = []): string[][] =>
    path.includes(module)
      ? [[...path, module]]
      : (MAY_IMPORT[module] ?? []).flatMap((next) => below(next, [...path, module]));
  expect(Object.keys(MAY_IMPORT).flatMap((module) => below(module))).toEqual([]);
});

test.each([
  ["sites/service.ts", 'import { buildApp } from "../http/index.ts";', "sites may not import http"],
  ["sites/service.ts", 'import type { TypedApp } from "../http/typed-app.ts";', "sites may not import http"],
  ["http/app.ts", 'import { siteRoutes } from "../sites/index.ts";', "http may not import sites"],
  ["sites/store.ts", 'import { x } from "../policies/index.ts";', "sites may not import policies"],
  ["policies/service.ts", 'import { findSite } from "../sites/store.ts";', "through its index.ts"],
  ["policies/service.ts", 'import { loadConfig } from "../config.ts";', "what puts modules together"],
  ["policies/service.ts", 'const x = await import("../http/index.ts");', "policies may not import http"],
  ["jobs/service.ts", 'import { x } from "../sites/index.ts";', "jobs does not stand in the table"],
  ["kernel/route.ts", 'import { notify } from "../database/index.ts";', "kernel may not import database"],
  ["policies/desired.ts", 'import { type Trx, notify } from "../database/index.ts";', "types alone"],
  ["policies/desired.ts", 'import { connect } from "node:net";', "no database, socket or clock"],
  [
    "reachability/walk.ts",
    'import { setTimeout } from "node:timers/promises";',
    "no database, socket or clock",
  ],
])("%s with %s is found", (file, source, problem) => {
  expect(wrongImports(file, source)).toEqual([expect.stringContaining(problem)]);
});

test("imports of types are told from imports of values, over several lines and in comments too", () => {
  const source = `/* import { a } from "a"; */
import {
  type B,
  c,
} from "../b/index.ts";
import type { D } from "../d/index.ts";
export { e } from "./e.ts";
import "f";
export type { G } from "../g/index.ts";`;
  expect(importsOf(source)).toEqual([
    { from: "../b/index.ts", values: ["c"] },
    { from: "../d/index.ts", values: [] },
    { from: "./e.ts", values: ["e"] },
    { from: "../g/index.ts", values: [] },
    { from: "f", values: ["*"] },
  ]);
});

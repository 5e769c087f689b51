#!/usr/bin/env node
// Plain JavaScript, so that an old Node gets a sentence instead of a syntax error.
import { existsSync } from "node:fs";

const [major] = process.versions.node.split(".").map(Number);
if (major < 24) {
  console.error(`portreeve-emulator needs Node.js 24 or newer, this is ${process.versions.node}.`);
  process.exit(1);
}
// A checkout runs its TypeScript sources, without a build; a package from the registry has none.
if (existsSync(new URL("../src/main.ts", import.meta.url))) {
  const { registerHooks } = await import("node:module");
  const withSources = ({ conditions, ...context }) => ({
    ...context,
    conditions: [...conditions, "@portreeve/source"],
  });
  registerHooks({ resolve: (specifier, context, next) => next(specifier, withSources(context)) });
  await import("../src/main.ts");
} else await import("../dist/main.js");

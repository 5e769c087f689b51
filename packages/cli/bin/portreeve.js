#!/usr/bin/env -S node --conditions=@portreeve/source
// Plain JavaScript, so that an old Node gets a sentence instead of a syntax error.
// The condition in the first line makes a checkout run its TypeScript sources without a build.
const [major] = process.versions.node.split(".").map(Number);
if (major < 24) {
  console.error(
    `portreeve needs Node.js 24 or newer, this is ${process.versions.node}.\n` +
      "npm ci brings Node 24 for Linux on x64 and arm64; elsewhere install it from https://nodejs.org.",
  );
  process.exit(1);
}
// Keeps what Node compiled and stripped of types for the next start; half of a start is that.
(await import("node:module")).enableCompileCache();
await import("../src/main.ts");

// Runs the tests (npm test [-- files or vitest options]) and closes with one line: N passed, N failed[, N skipped].
// Plain JavaScript, so that an old Node gets a sentence instead of a syntax error.
const [major] = process.versions.node.split(".").map(Number);
if (major < 24) {
  console.error(
    `The tests need Node.js 24 or newer, this is ${process.versions.node}.\n` +
      "npm ci brings Node 24 for Linux on x64 and arm64; elsewhere install it from https://nodejs.org.",
  );
  process.exit(1);
}

const { parseCLI, startVitest } = await import("vitest/node");

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await startVitest("test", filter, options);
const modules = vitest.state.getTestModules();
await vitest.close();

const tests = modules.flatMap((module) => [...module.children.allTests()]);
const named = (state) =>
  tests
    .filter((test) => test.result().state === state)
    .map((test) => `${test.module.relativeModuleId}: ${test.fullName}`);
const passed = named("passed");
const skipped = named("skipped");
// Beside tests that failed: hooks that failed, files that could not be loaded, errors outside of any test.
const broken = modules
  .flatMap((module) => [module, ...module.children.allSuites()])
  .filter((suite) => suite.errors().length > 0);
const failed = [...named("failed"), ...named("pending"), ...broken, ...vitest.state.getUnhandledErrors()];

const strict = process.env.CI === "true";
if (strict && skipped.length > 0) {
  console.log("Skipped, which counts as failed with CI=true:");
  for (const name of skipped) console.log(`  ${name}`);
}
// Vitest's own verdict counts too: it knows of failures that belong to no test.
const failures = Math.max(failed.length + (strict ? skipped.length : 0), process.exitCode ? 1 : 0);
const skips = !strict && skipped.length > 0 ? `, ${skipped.length} skipped` : "";
console.log(`${passed.length} passed, ${failures} failed${skips}`);
process.exit(failures > 0 ? 1 : 0);

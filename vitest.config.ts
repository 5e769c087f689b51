import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const source = "@portreeve/source";
/** What measures wall clock or memory. */
const serial = "**/*.serial.test.ts";
/** Vitest leaves one processor to itself, which has little to do: of two, each file would wait for the one before. */
const maxWorkers = availableParallelism();

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source, "module", "node", "default"] } },
  test: {
    globalSetup: "./vitest.setup.ts",
    setupFiles: "./packages/testing/src/leaks.ts",
    execArgv: [`--conditions=${source}`],
    // Only a test that hangs takes so long: one that starts processes takes seconds for each on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A second, as Vitest has it, passes on a busy machine without anything happening.
    expect: { poll: { timeout: 20_000, interval: 10 } },
    // Files of one group run at the same time, groups one after the other. Group 0 would not do: with one processor,
    // Vitest puts that one behind the others.
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts"],
          exclude: [serial],
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "scenarios",
          include: ["scenarios/**/*.test.ts"],
          exclude: [serial],
          maxWorkers,
          testTimeout: 90_000, // with what the first test of a file sets up for all
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "serial",
          include: [`packages/*/src/${serial}`, `scenarios/${serial}`],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

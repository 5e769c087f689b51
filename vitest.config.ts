import { defineConfig } from "vitest/config";

const source = "@portreeve/source";
/** What measures wall clock or memory. */
const serial = "**/*.serial.test.ts";

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source, "module", "node", "default"] } },
  test: {
    globalSetup: "./vitest.setup.ts",
    execArgv: [`--conditions=${source}`],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Files of one group run at the same time, groups one after the other.
    projects: [
      { test: { name: "unit", include: ["packages/*/src/**/*.test.ts"], exclude: [serial] } },
      { test: { name: "scenarios", include: ["scenarios/**/*.test.ts"], exclude: [serial] } },
      {
        test: {
          name: "serial",
          include: [`packages/*/src/${serial}`, `scenarios/${serial}`],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

const source = "@portreeve/source";

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source, "module", "node", "default"] } },
  test: {
    globalSetup: "./vitest.setup.ts",
    include: ["packages/*/src/**/*.test.ts", "scenarios/**/*.test.ts"],
    execArgv: [`--conditions=${source}`],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

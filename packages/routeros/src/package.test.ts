import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const here = fileURLToPath(new URL("..", import.meta.url));

/** The package built apart, so that the test neither needs nor changes what `tsc -b` left here. */
async function builtCopy(directory: string): Promise<void> {
  const tsc = fileURLToPath(import.meta.resolve("typescript/package.json")).replace(
    "package.json",
    "bin/tsc",
  );
  await Promise.all(
    ["src", "package.json", "README.md"].map((path) =>
      cp(here + path, join(directory, path), { recursive: true }),
    ),
  );
  const buildInfo = join(directory, "build.tsbuildinfo");
  await run(process.execPath, [
    tsc,
    "-p",
    here,
    "--outDir",
    join(directory, "dist"),
    "--tsBuildInfoFile",
    buildInfo,
  ]);
}

test("the published package holds the library without its tests, depends on nothing, and loads", async () => {
  const directory = await mkdtemp(join(tmpdir(), "routeros-package-"));
  try {
    await builtCopy(directory);
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: directory,
    });
    // One entry per package: npm 11 and older put it into an array, later ones under the package's name.
    const [packed] = Object.values<{ files: { path: string }[] }>(JSON.parse(stdout));
    const paths = packed?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(
      expect.arrayContaining(["package.json", "README.md", "dist/index.js", "dist/index.d.ts"]),
    );
    expect(paths.filter((path) => /\.test\.|testing\/|schema\/|tsbuildinfo/.test(path))).toEqual([]);

    for (const path of ["src", "README.md"]) await rm(join(directory, path), { recursive: true });
    const code = `
      import manifest from "@portreeve/routeros-package" with { type: "json" };
      import * as routeros from "@portreeve/routeros";
      const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifest;
      console.log(Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }).length);
      console.log(typeof routeros.RouterClient.connect, routeros.script\`:put 1\`.text);`
      .replace("@portreeve/routeros-package", join(directory, "package.json"))
      .replace('"@portreeve/routeros"', JSON.stringify(join(directory, "dist/index.js")));
    const loaded = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: directory });
    expect(loaded.stdout).toBe("0\nfunction :put 1\n");
  } finally {
    await rm(directory, { recursive: true });
  }
});

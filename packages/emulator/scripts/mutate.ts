/**
 * Do the tests notice a wrong codec or a wrong word? Changes constants of the codec and texts of refusals one at a
 * time, in a copy of the sources, and runs the tests against each. By hand, some minutes:
 *
 *     node packages/emulator/scripts/mutate.ts
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const LENGTH = "packages/routeros/src/codec/length.ts";
const WORD = "packages/routeros/src/codec/word.ts";
const REFUSAL = "packages/emulator/src/refusal.ts";

const EMULATOR = "packages/emulator/src/";

/** What shows the wire: the codec's own tests, captured exchanges, other people's clients. */
const WIRE = [
  "packages/routeros/src/codec/codec.test.ts",
  `${EMULATOR}transcripts.test.ts`,
  `${EMULATOR}clients.test.ts`,
];
/** What shows RouterOS's words. */
const WORDS = [
  `${EMULATOR}transcripts.test.ts`,
  ...["api", "commands", "menus", "schema", "services"].map((name) => `${EMULATOR}${name}/`),
];

interface Mutation {
  readonly file: string;
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly tests: readonly string[];
}

const isCode = (line: string) => !/^\s*(\*|\/\*|\/\/)/.test(line);

/** Every match of `pattern` in a file's code, with what is written in its place. */
function mutations(
  file: string,
  tests: readonly string[],
  pattern: RegExp,
  replace: (found: RegExpMatchArray) => string,
): Mutation[] {
  const lines = readFileSync(`${ROOT}${file}`, "utf8").split("\n");
  return lines.flatMap((text, index) =>
    (isCode(text) ? [...text.matchAll(pattern)] : []).map((found) => {
      const changed = `${text.slice(0, found.index)}${replace(found)}${text.slice(found.index + found[0].length)}`;
      return { file, line: index + 1, from: text, to: changed, tests };
    }),
  );
}

const one = (literal: string) => `0x${(Number(literal) + 1).toString(16)}`;

const ALL = [
  ...mutations(LENGTH, WIRE, /\b0x[\da-f]+\b/g, ([literal]) => one(literal)),
  ...mutations(WORD, WIRE, /(?<=const (EQUALS|DOT) = )0x[\da-f]+/g, ([literal]) => one(literal)),
  // The first letter of every text; `(6)` and `(9)` among them belong to it.
  ...mutations(REFUSAL, WORDS, /(?<=new Refusal\(["`])\w/g, () => "~"),
];

/** A copy of the two packages that finds itself, and all else where it is. */
function copySources(): string {
  const copy = mkdtempSync(`${tmpdir()}/mutate-`);
  for (const name of ["emulator", "routeros"]) {
    cpSync(`${ROOT}packages/${name}/src`, `${copy}/packages/${name}/src`, { recursive: true });
    cpSync(`${ROOT}packages/${name}/package.json`, `${copy}/packages/${name}/package.json`);
  }
  mkdirSync(`${copy}/node_modules/@portreeve`, { recursive: true });
  for (const name of readdirSync(`${ROOT}node_modules`).filter((name) => name !== "@portreeve")) {
    symlinkSync(`${ROOT}node_modules/${name}`, `${copy}/node_modules/${name}`);
  }
  for (const name of ["emulator", "routeros"]) {
    symlinkSync(`${copy}/packages/${name}`, `${copy}/node_modules/@portreeve/${name}`);
  }
  const source = JSON.stringify("@portreeve/source");
  const config = {
    test: {
      include: ["packages/*/src/**/*.test.ts"],
      execArgv: [`--conditions=@portreeve/source`],
      testTimeout: 20_000,
    },
  };
  writeFileSync(
    `${copy}/vitest.config.ts`,
    `export default { resolve: { conditions: [${source}] }, ` +
      `ssr: { resolve: { conditions: [${source}, "module", "node", "default"] } }, ...${JSON.stringify(config)} };\n`,
  );
  return copy;
}

/** @returns undefined when all tests pass, else the first that fails */
function firstFailure(copy: string, tests: readonly string[]): string | undefined {
  const vitest = `${ROOT}node_modules/vitest/vitest.mjs`;
  const args = [
    vitest,
    "run",
    "--root",
    copy,
    "--bail",
    "1",
    "--no-isolate",
    "--reporter",
    "verbose",
    ...tests,
  ];
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    timeout: 120_000,
  });
  if (status === 0) return undefined;
  const failed = stdout.split("\n").find((line) => /^\s*(×|FAIL)/.test(line));
  const plain = failed?.trim() ?? "the tests don't run";
  return plain
    .replace(/^(×|FAIL)\s*|\s*\d+ms$/g, "")
    .split(" > ")
    .at(-1)
    ?.slice(0, 60);
}

const copy = copySources();
try {
  const broken = firstFailure(copy, [...WIRE, ...WORDS]);
  if (broken !== undefined) throw new Error(`without a change this fails: ${broken}`);
  let noticed = 0;
  for (const { file, line, from, to, tests } of ALL) {
    const original = readFileSync(`${copy}/${file}`, "utf8");
    const lines = original.split("\n");
    lines[line - 1] = to;
    writeFileSync(`${copy}/${file}`, lines.join("\n"));
    const failure = firstFailure(copy, tests);
    writeFileSync(`${copy}/${file}`, original);
    if (failure !== undefined) noticed += 1;
    const where = `${file.split("/").at(-1)}:${line}`.padEnd(14);
    console.log(
      `${failure === undefined ? "SURVIVED" : "noticed "}  ${where}  ${to.trim().slice(0, 70).padEnd(70)}  ${failure ?? from.trim()}`,
    );
  }
  console.log(`${noticed} of ${ALL.length} changes noticed`);
} finally {
  rmSync(copy, { recursive: true });
}

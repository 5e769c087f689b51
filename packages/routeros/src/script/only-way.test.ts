// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the samples are source text
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** What may hold script text of its own, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  "packages/routeros/src/script/": "is where it is written",
  "packages/emulator/src/": "is the router, which reads scripts",
  "packages/server/src/reconcile/describe.ts": "shows plans to people, nothing runs it",
};

/** How script text begins inside a literal, or what only script text holds. */
const SCRIPT_TEXT: readonly RegExp[] = [
  /["'`]\/(?:[a-z0-9-]+[ /])+(?:add|set|remove|enable|disable|move|unset|run|import|fetch|execute) /,
  /["'`]\/(?:[a-z0-9-]+[ /])*(?:import|fetch|execute|tool fetch) [a-z-]+=/,
  /["'`]:(?:do|if|for|foreach|while|local|global|put|log|execute|parse|error|delay|onerror|retry) /,
  /["'`][^"'`]*\[(?:find[ \]]|\/[a-z]|:[a-z]+ )/,
];

/** What a source says outside comments and `script` templates. */
function rest(source: string): string {
  return withoutTemplates(source)
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""))
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

function withoutTemplates(source: string): string {
  const start = source.search(/\bscript`/);
  if (start === -1) return source;
  const end = templateEnd(source, source.indexOf("`", start) + 1);
  const lines = source.slice(start, end).replace(/[^\n]/g, "");
  return source.slice(0, start) + lines + withoutTemplates(source.slice(end));
}

/** Where the template whose text begins at `at` is over; its placeholders may hold templates again. */
function templateEnd(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    const character = source[i];
    if (character === "\\") i += 1;
    else if (character === "`" && depth === 0) return i + 1;
    else if (character === "`") i = templateEnd(source, i + 1) - 1;
    else if (character === "$" && source[i + 1] === "{") depth += 1;
    else if (character === "}" && depth > 0) depth -= 1;
  }
  return source.length;
}

function offences(source: string): string[] {
  return rest(source)
    .split("\n")
    .flatMap((line, i) =>
      SCRIPT_TEXT.some((pattern) => pattern.test(line)) ? [`${i + 1}: ${line.trim()}`] : [],
    );
}

test("RouterOS script text is written with the script template and nowhere else", () => {
  const root = fileURLToPath(new URL("../../../../", import.meta.url));
  const files = globSync("packages/*/src/**/*.{ts,tsx}", { cwd: root })
    .filter((file) => !/\.test\.tsx?$|\/testing\//.test(file))
    .filter((file) => !Object.keys(ALLOWED).some((path) => file.startsWith(path)));
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) =>
    offences(readFileSync(`${root}${file}`, "utf8")).map((line) => `${file}:${line}`),
  );
  const advice =
    "script text put together by hand lets a value become code: " +
    "use script`…` with value(), identifier(), menu() of @portreeve/routeros";
  expect(found, advice).toEqual([]);
});

test.each([
  "const code = `/user add name=${name}`;",
  "const code = '/ip service set ' + target;",
  'run("/ip/service/set api port=" + port);',
  'const code = ":do { " + body + " }";',
  "const id = `[find name=${name}]`;",
  "send(`:put [/system identity get name]`);",
  'const line = "/tool fetch url=" + url;',
])("found: %s", (source) => {
  expect(offences(source)).toHaveLength(1);
});

test.each([
  'await client.call("/user/add", { name });',
  "const path = `${menu}/set`;",
  "/** Writes `/ip service set api port=1`. */",
  "const x = 1; // like `/user add`",
  "const code = script`/user add name=${value(name)} comment=${value(`a ${b} c`)}\n/user set [find name=x]`;",
  'const route = "/v1/sites/add";',
])("not found: %s", (source) => {
  expect(offences(source)).toEqual([]);
});

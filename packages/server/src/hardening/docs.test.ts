import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CHECKS } from "./checks/index.ts";
import { LONG_TERM } from "./releases.ts";
import { WEIGHTS } from "./score.ts";

const page = readFileSync(new URL("../../../../docs/hardening.md", import.meta.url), "utf8");
const cells = (line: string) => line.split("|").map((cell) => cell.trim());

test("the page lists every check with its severity and title, and says which Portreeve fixes", () => {
  const rows = page
    .split("\n")
    .filter((line) => /^\| `[a-z0-9-]+` \| (critical|high|medium|low|info) \|/.test(line));
  const listed = rows.map((row) => {
    const [, id, severity, title, fix] = cells(row);
    return [id?.replaceAll("`", ""), severity, title, fix === "by hand" ? "by hand" : "fix"];
  });
  const built = CHECKS.map(({ id, severity, title, fix }) => [
    id,
    severity,
    title,
    typeof fix === "string" ? "by hand" : "fix",
  ]);
  expect(listed).toEqual(built);
});

test("the page gives the weights and the releases of the tables", () => {
  expect(page).toContain(
    `| ${Object.keys(WEIGHTS).join(" | ")} |\n| --- | --- | --- | --- | --- |\n| ${Object.values(WEIGHTS).join(" | ")} |`,
  );
  for (const { version, released } of Object.values(LONG_TERM))
    expect(page).toContain(`${version} of ${released}`);
});

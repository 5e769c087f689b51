/** How a run is shown: a table for people, or one JSON object per line. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { styleText } from "node:util";
import type { Measurement } from "./harness.ts";

/** The machine and the versions of what was measured. */
export function heading(): string {
  const processors = cpus();
  const packages = ["fastify", "pg", "node-routeros", "routeros-client", "mikro-routeros"].map(
    (name) => `${name} ${versionOf(name)}`,
  );
  return [
    `${processors[0]?.model.trim() || "unknown processor"}, ${processors.length} cores, ${process.platform} ${process.arch}`,
    [`Node ${process.versions.node}`, `Portreeve ${versionOf("@portreeve/server")}`, ...packages].join(", "),
  ].join("\n");
}

/** Read from the file: not every package lets its package.json be imported. */
function versionOf(name: string): string {
  const directories = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const directory of directories) {
    try {
      return JSON.parse(readFileSync(`${directory}/${name}/package.json`, "utf8")).version;
    } catch {}
  }
  return "?";
}

export function jsonLine({ name, value, unit, baseline, baselineValue }: Measurement): string {
  const ratio = value / baselineValue;
  return JSON.stringify({ name, value, unit, baseline, baseline_value: baselineValue, ratio });
}

const COLUMNS = ["name", "value", "unit", "baseline", "baseline value", "ratio", "better"];
const NUMERIC = new Set(["value", "baseline value", "ratio"]);

export function table(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, value, unit, baseline, baselineValue, better }) => [
    name,
    number(value),
    unit,
    baseline,
    number(baselineValue),
    (value / baselineValue).toFixed(2),
    better,
  ]);
  const widths = COLUMNS.map((column, i) =>
    Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        NUMERIC.has(COLUMNS[i] ?? "") ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [styleText("bold", line(COLUMNS)), ...rows.map(line)].join("\n");
}

function number(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 1 ? 3 : value < 100 ? 1 : 0 });
}

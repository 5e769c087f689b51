import type { Step } from "./types.ts";

/**
 * A step as an operator would type it, for reading: `/ip service set [find name="ssh"] port=2222`.
 * Secrets appear as `[hidden]`. It is shown, never executed.
 */
export function describe({ menu, command, target, values, secrets }: Omit<Step, "text">): string {
  const path = menu.slice(1).replaceAll("/", " ");
  const isAddressed = target.id !== undefined;
  const row = isAddressed ? ` [find ${target.field}=${quoted(target.key)}]` : "";
  const given = Object.entries(values).map(([name, value]) => ` ${name}=${plainOrQuoted(value)}`);
  const hidden = Object.keys(secrets).map((name) => ` ${name}=[hidden]`);
  return `/${path} ${command}${row}${given.join("")}${hidden.join("")}`;
}

/** What the properties that a step sets are now, by wire names; undefined for other steps. */
export function valuesBefore({ command, inverse }: Pick<Step, "command" | "inverse">) {
  return command === "set" ? inverse[0]?.values : undefined;
}

/** A step with what it replaces, as a comment of RouterOS's: so nothing that others wrote goes without a trace. */
export function describeChange(step: Step): string {
  const before = Object.entries(valuesBefore(step) ?? {});
  if (before.length === 0) return step.text;
  return `${step.text} # was${before.map(([name, value]) => ` ${name}=${plainOrQuoted(value)}`).join("")}`;
}

export function plainOrQuoted(value: string): string {
  return /^[A-Za-z0-9._:/@,+!*-]+$/.test(value) ? value : quoted(value);
}

/**
 * Text in quotes. Router output and operator input are hostile: what has no glyph of its own (control characters,
 * marks that turn the direction of writing round) is shown byte by byte, as RouterOS writes it.
 */
export function quoted(value: string): string {
  const escaped = value.replace(/["\\$]/g, "\\$&").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, bytes);
  return `"${escaped}"`;
}

function bytes(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

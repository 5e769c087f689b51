import type { Step } from "./types.ts";

/**
 * A step as an operator would type it, for reading: `/ip service set [find name="ssh"] port=2222`.
 * Secrets appear as `[hidden]`. It is shown, never executed.
 */
export function describe(step: Omit<Step, "text">): string {
  const menu = step.menu.slice(1).replaceAll("/", " ");
  const target = step.command === "add" ? "" : ` [find name=${quoted(step.target.key)}]`;
  const values = Object.entries(step.values).map(([name, value]) => ` ${name}=${plainOrQuoted(value)}`);
  const secrets = Object.keys(step.secrets).map((name) => ` ${name}=[hidden]`);
  return `/${menu} ${step.command}${target}${values.join("")}${secrets.join("")}`;
}

function plainOrQuoted(value: string): string {
  return /^[A-Za-z0-9._:/@,+!-]+$/.test(value) ? value : quoted(value);
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

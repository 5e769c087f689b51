import type { Step } from "./types.ts";

/**
 * A step as an operator would type it, for reading: `/ip service set [find name="ssh"] port=2222`.
 * Secrets appear as `[hidden]`. It is shown, never executed.
 */
export function describe({ menu, command, target, values, secrets }: Omit<Step, "text">): string {
  const path = menu.slice(1).replaceAll("/", " ");
  const isAddressed = command !== "add" && target.key !== "";
  const row = isAddressed ? ` [find ${target.field}=${quoted(target.key)}]` : "";
  const given = Object.entries(values).map(([name, value]) => ` ${name}=${plainOrQuoted(value)}`);
  const hidden = Object.keys(secrets).map((name) => ` ${name}=[hidden]`);
  return `/${path} ${command}${row}${given.join("")}${hidden.join("")}`;
}

function plainOrQuoted(value: string): string {
  return /^[A-Za-z0-9._:/@,+!*-]+$/.test(value) ? value : quoted(value);
}

/** Router output and operator input are hostile: control characters are shown as RouterOS writes them. */
function quoted(value: string): string {
  const escaped = value
    .replace(/["\\$]/g, "\\$&")
    .replace(/\p{Cc}/gu, (c) => `\\${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
  return `"${escaped}"`;
}

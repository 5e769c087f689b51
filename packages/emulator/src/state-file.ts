import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { TableState } from "./table.ts";

/** Everything a router keeps over a restart. */
export interface RouterState {
  readonly format: 1;
  readonly version: string;
  readonly model: string;
  readonly serialNumber: string;
  /** SSH host key, OpenSSH private key format. */
  readonly hostKey: string;
  /** By menu path. */
  readonly tables: Readonly<Record<string, TableState>>;
}

/** @returns undefined when there is no such file; @throws when it is no state file of this format */
export function readState(path: string): RouterState | undefined {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const state = JSON.parse(content) as RouterState;
  if (state.format !== 1) throw new Error(`${path} is not a state file of this emulator`);
  return state;
}

/** Replace the file in one step: a reader, or the next start after a crash, sees the old state or the new one. */
export function writeState(path: string, state: RouterState): void {
  const next = `${path}.${process.pid}.next`;
  try {
    writeFileSync(next, `${JSON.stringify(state, undefined, 1)}\n`, { mode: 0o600, flush: true });
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

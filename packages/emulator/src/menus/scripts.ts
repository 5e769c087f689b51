import type { Caller } from "../caller.ts";
import type { Item } from "../table.ts";

interface RunOptions {
  /** Ends the script from outside. */
  readonly signal?: AbortSignal;
  /** Name of the script, for its job. */
  readonly script?: string;
}

/** The scripts that run now, as menus see them. */
export interface ScriptRunner {
  /** Rows of `/system/script/job`. */
  readonly items: readonly Item[];
  stop(id: string): void;
  /** How often a script or scheduler entry ran since the start, and when last. */
  runsOf(item: Item): { readonly count: number; readonly started?: string };
  countRun(item: Item): void;
  /** Can this source be read? */
  isValid(source: string): boolean;
  /** Run to the end. @returns what it printed, lines ended by LF @throws Refusal with the words of what ended it */
  run(source: string, caller: Caller, options?: RunOptions): Promise<string>;
  /** Run a script of `/system/script`. */
  runItem(item: Item, caller: Caller, signal?: AbortSignal): Promise<string>;
  /** Begin a script and don't wait for it; a failure is logged. @returns the job's id */
  start(source: string, caller: Caller, finished?: (output: string) => void): string;
  /** What `/import` and an uploaded `*.auto.rsc` do with a text. @throws Refusal */
  importText(
    caller: Caller,
    text: string,
    options?: RunOptions & { readonly dryRun?: boolean },
  ): Promise<string>;
  /** @param from who ran it: "scheduler:nightly" */
  logFailure(what: string, error: unknown, from?: string): void;
}

/** Global variables of scripts, as menus see them. */
export interface ScriptVariables {
  /** Name and printed value. */
  readonly texts: readonly (readonly [name: string, value: string])[];
  remove(name: string): void;
}

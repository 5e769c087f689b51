import { type Api, connectApi } from "./api.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";

/** Options as commander hands them over: camelCase names, text or true, or texts where several may be given. */
export type Options = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Answer {
  /** What the API answered, for --json; undefined where it answers nothing. */
  readonly data?: unknown;
  /** For people. */
  readonly text: string;
  /** Of the process; 0 unless given. 1 is kept for failures. */
  readonly exitCode?: number;
}

/** Carries a verb out. */
export type Run = (api: Api, words: readonly string[], options: Options) => Promise<Answer>;

/** @returns what to print, and the exit code */
export async function runVerb(
  run: Run,
  words: readonly string[],
  options: Options,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ output: string; exitCode: number }> {
  const api = connectApi(environment.PORTREEVE_URL || DEFAULT_URL, environment.PORTREEVE_TOKEN);
  const { data, text, exitCode = 0 } = await run(api, words, options);
  const json = data === undefined ? "" : JSON.stringify(data, undefined, 2);
  return { output: options.json ? json : text, exitCode };
}

import type { Machine } from "../machine.ts";
import { Refusal } from "../refusal.ts";
import { Scope } from "../script/environment.ts";
import { ScriptSyntaxError } from "../script/errors.ts";
import { Parser } from "../script/parser.ts";
import { Names } from "../script/scope.ts";
import { bytesOf } from "../script/text.ts";
import type { Session } from "../sessions.ts";

/** With CR LF line ends, ready for the channel. */
export type Print = (text: string) => void;

export type LineResult = "done" | "failed" | "quit" | "incomplete";

/** One console of a session: the menu it is in, and the global variables it has named. */
export class Console {
  readonly #router: Machine;
  readonly #session: Session;
  #path = "";

  constructor(router: Machine, session: Session) {
    this.#router = router;
    this.#session = session;
  }

  /** "[admin@MikroTik] /ip/service> " */
  get prompt(): string {
    const { identity, features } = this.#router;
    const path = features.version7 ? this.#path : this.#path.slice(1).replaceAll("/", " ");
    return `[${this.#session.username}@${identity}] ${path}> `;
  }

  /**
   * Run what was typed: commands of one line, or of several inside brackets.
   * @param print told the output as it comes
   * @param mayGoOn another line can follow: then an open bracket or string makes it `incomplete`, and nothing has run
   */
  async run(text: string, print: Print, signal: AbortSignal, mayGoOn: boolean): Promise<LineResult> {
    if (/^\s*\/?quit\s*;?\s*$/.test(text)) return "quit";
    const show = (output: string) => print(output.replace(/\r?\n/g, "\r\n"));
    try {
      const options = { script: "", print: show, signal };
      await this.#router.jobs.track(this.#session, options, async (run) => {
        const names = new Names(this.#globals());
        const parser = new Parser(bytesOf(text), run.dictionary, { names, path: this.#path });
        const code = parser.script();
        const scope = new Scope();
        for (const [name, cell] of this.#router.globals.entries) scope.share(name, cell);
        this.#path = parser.path;
        await run.run(code, scope);
      });
      return "done";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { cause } = error;
      if (cause instanceof ScriptSyntaxError && cause.incomplete && mayGoOn) return "incomplete";
      show(`${error.message}\n`);
      return "failed";
    }
  }

  /** Each line is a scope of its own; global variables continue to be known. */
  #globals(): Names {
    const names = new Names(undefined);
    for (const [name] of this.#router.globals.entries) names.declare(name);
    return names;
  }
}

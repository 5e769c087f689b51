import type { Position } from "./ast.ts";
import { ScriptSyntaxError } from "./errors.ts";

/** Deeper nesting of brackets is refused: the parser and the interpreter call themselves for each. */
const MAX_DEPTH = 100;

/** The text of a script and where its reader is: everything that is lexical. */
export class Source {
  readonly text: string;
  at: number;
  readonly end: number;
  #depth = 0;
  readonly #lineStarts: readonly number[];

  /** @param text one character for each byte; any of the three line ends */
  constructor(text: string) {
    this.text = text.replace(/\r\n?/g, "\n");
    this.at = 0;
    this.end = this.text.length;
    const starts = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  get next(): string {
    return this.text[this.at] ?? "";
  }

  get atEnd(): boolean {
    return this.at >= this.end;
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  /** Take `text` if it comes next. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Take what a sticky pattern matches here; undefined where it doesn't. */
  match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** What a sticky pattern would match here. */
  peek(sticky: RegExp): string | undefined {
    const { at } = this;
    const found = this.match(sticky);
    this.at = at;
    return found;
  }

  position(at: number = this.at): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (this.#lineStarts[low] ?? 0) + 1 };
  }

  error(what = "syntax error", at: number = this.at): ScriptSyntaxError {
    return new ScriptSyntaxError(what, this.position(at), at >= this.end);
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.error();
  }

  /** Read something that may hold itself. */
  nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new ScriptSyntaxError("syntax error", this.position());
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Blanks and joined lines; a comment too, where a blank or a line's start is before it. */
  skipBlanks(): void {
    for (;;) {
      const from = this.at;
      this.match(/(?:[ \t]|\\\n)+/y);
      if (this.next === "#" && (this.at > from || this.at === 0 || this.text[this.at - 1] === "\n")) {
        this.match(/#[^\n]*/y);
      }
      if (this.at === from) return;
    }
  }

  /** Blanks, comments and ends of commands. */
  skipSeparators(): void {
    for (;;) {
      const from = this.at;
      this.skipBlanks();
      this.match(/[;\n]+/y);
      if (this.next === "#") this.match(/#[^\n]*/y);
      if (this.at === from) return;
    }
  }

  /** Blanks and line ends, inside an array. */
  skipLines(): void {
    for (;;) {
      const from = this.at;
      this.skipBlanks();
      this.match(/\n+/y);
      if (this.at === from) return;
    }
  }
}

/** One sentence as it crossed the wire. */
export interface TranscriptLine {
  /** Number of the connection, from 1, in the order they were accepted. */
  readonly connection: number;
  /** `in` from the client, `out` from the router. */
  readonly direction: "in" | "out";
  /** Its words; passwords and answers to challenges read `[redacted]`. */
  readonly words: readonly string[];
}

/** Older lines are forgotten: 10 000 sentences of some hundred bytes stay within a few megabytes. */
const MAX_LINES = 10_000;

const SECRET = /^=(password|response|old-password|new-password|confirm-new-password)=/;

/** Every API sentence in and out, of all connections. */
export class Transcript {
  #lines: TranscriptLine[] = [];
  #connections = 0;
  readonly #maxLines: number;

  constructor(maxLines = MAX_LINES) {
    this.#maxLines = maxLines;
  }

  /** @returns what the connection records its sentences with */
  open(): (direction: "in" | "out", words: readonly string[]) => void {
    const connection = ++this.#connections;
    if (this.#maxLines === 0) return () => undefined;
    return (direction, words) => {
      const redacted = words.map((word) => {
        const name = SECRET.exec(word)?.[0];
        return name === undefined ? word : `${name}[redacted]`;
      });
      this.#lines.push({ connection, direction, words: redacted });
      if (this.#lines.length > 2 * this.#maxLines) this.#lines = this.#lines.slice(-this.#maxLines);
    };
  }

  get lines(): readonly TranscriptLine[] {
    return this.#maxLines === 0 ? [] : this.#lines.slice(-this.#maxLines);
  }
}

/** What the command line says when something goes wrong: one line that names what to change. */

/** Something the person at the keyboard can mend; the message is the whole line to show. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}

/** Longest chain of causes shown; a cycle ends there too. */
const MAX_CAUSES = 4;

/** One line: the error's words, with those of its causes where they add something. */
export function explain(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth <= MAX_CAUSES && current !== undefined; depth++) {
    const text = wordsOf(current);
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ") || "failed without saying why; PORTREEVE_LOG_LEVEL=debug shows more";
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A connection tried over IPv6 and IPv4 fails as a group with an empty message.
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [];
  const text = error.message || (inner[0] instanceof Error ? inner[0].message : error.name);
  return text.trim().replaceAll(/\s*\n\s*/g, "; ");
}

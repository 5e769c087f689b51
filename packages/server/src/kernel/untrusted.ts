/** Text from routers, from what answers on their ports and from people who name a thing there: it is hostile input. */

/** What a terminal, a log or a page would obey: control and direction characters, line ends, halves of a pair. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

/**
 * The text on one line, fit to be stored, logged and shown: control characters as RouterOS writes them (`\0A`), others
 * without a glyph by their number (`\u{202E}`).
 * @param maxLength most characters of the text that are kept; with an ellipsis in the place of the last where more were
 */
export function printable(text: string, maxLength: number): string {
  // Cut first: a text of megabytes is not worth escaping, and half a character at the cut is escaped like any other.
  const shown = text.slice(0, maxLength + 1).replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16).toUpperCase().padStart(2, "0");
    return code < 0x100 ? `\\${hex}` : `\\u{${hex}}`;
  });
  if (shown.length <= maxLength) return shown;
  return `${shown.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/**
 * RouterOS scripts as a tagged template: the only way this package makes script text.
 *
 * What is written out is ours and stays as it is; what varies stands in placeholders, which are typed and encode
 * themselves. A script as the value of an argument (`on-event=${inner}`) becomes a string with a round of escaping of
 * its own, at any depth; anywhere else (`do={ ${body} }`, a line of its own) it is part of the code.
 */

import { InvalidCommandError } from "../errors.ts";
import { Piece, quoted } from "./pieces.ts";

/** A complete piece of script code; printable ASCII, tabs and line feeds. */
export class Script {
  /** The code, as `/system/script source` or an imported file takes it. */
  readonly text: string;
  /** Only the template makes scripts: without it any text could pass for one. */
  readonly #isWritten = true;

  private constructor(text: string) {
    this.text = text;
  }

  /** What {@link script} does. */
  static write(literals: readonly string[], placeholders: readonly Placeholder[]): Script {
    const writer = new Writer();
    literals.forEach((literal, i) => {
      if (i > 0) writer.place(placeholders[i - 1], literal);
      writer.literal(literal);
    });
    return new Script(writer.end());
  }

  /** Whether it is one of ours, and not an object that looks like one. */
  static isScript(what: unknown): what is Script {
    return typeof what === "object" && what !== null && #isWritten in what;
  }

  toString(): string {
    return this.text;
  }
}

/** Several scripts stand on a line each. */
export type Placeholder = Piece | Script | readonly Script[];

/**
 * Write a script:
 * ``script`/user add name=${value(name)} group=${value(group)}` ``. Backslashes stay as they stand.
 * @throws InvalidCommandError a template that is wrong in itself: a placeholder inside quotes or a comment, a value
 *   glued to other text, a string that does not end, characters outside ASCII
 */
export function script(literals: TemplateStringsArray, ...placeholders: Placeholder[]): Script {
  return Script.write(literals.raw, placeholders);
}

/** What may stand directly before and after a value. */
const BEFORE_VALUE = /(?:^|[\s=([{;,>!])$/;
const AFTER_VALUE = /^(?:[\s)\]};,-]|$)/;
/** Where a name is a variable's: only letters and digits go without quotes there. */
const BEFORE_VARIABLE = /(?:\$|:(?:local|global|set|for|foreach) +)$/;
const WRITABLE = /^[\t\n -~]*$/;

/** The text so far, and whether it stands in code, in a string or in a comment. */
class Writer {
  #text = "";
  #inside: "code" | "string" | "comment" = "code";

  literal(text: string): void {
    if (!WRITABLE.test(text)) throw wrong("it is printable ASCII, what else is needed stands in a value");
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (this.#inside === "comment") this.#inside = character === "\n" ? "code" : "comment";
      else if (character === '"') this.#inside = this.#inside === "string" ? "code" : "string";
      else if (this.#inside === "string" && character === "\\") i += 1;
      else if (this.#inside === "code" && character === "#") this.#inside = "comment";
    }
    this.#text += text;
  }

  /** @param next the literal behind the placeholder */
  place(placeholder: Placeholder | undefined, next: string): void {
    if (this.#inside !== "code") throw wrong(`a placeholder stands inside a ${this.#inside}`);
    if (placeholder instanceof Piece) this.#placePiece(placeholder, next);
    else this.#placeScripts(placeholder, next);
  }

  end(): string {
    if (this.#inside === "string") throw wrong("a string does not end");
    return this.#text;
  }

  #placePiece({ kind, text }: Piece, next: string): void {
    if (kind === "value") this.#placeValue(text, next);
    else if (text.includes("-") && BEFORE_VARIABLE.test(this.#text)) {
      throw wrong("a variable's name has letters and digits only");
    } else this.#text += text;
  }

  #placeScripts(placeholder: Script | readonly Script[] | undefined, next: string): void {
    const scripts: unknown = Script.isScript(placeholder) ? [placeholder] : placeholder;
    if (!Array.isArray(scripts) || !scripts.every(Script.isScript)) {
      throw wrong("a placeholder is none of value(), list(), identifier(), menu() … and no script");
    }
    const code = scripts.map((one) => one.text).join("\n");
    if (this.#text.endsWith("=")) this.#placeValue(quoted(code), next);
    else this.#placeCode(code, next);
  }

  #placeValue(text: string, next: string): void {
    if (!BEFORE_VALUE.test(this.#text) || !AFTER_VALUE.test(next))
      throw wrong("a value is glued to other text");
    this.#text += text;
  }

  /** A comment on its last line would swallow what follows. */
  #placeCode(code: string, next: string): void {
    const last = code.slice(code.lastIndexOf("\n") + 1);
    const needsBreak = last.includes("#") && !next.startsWith("\n");
    this.#text += needsBreak ? `${code}\n` : code;
  }
}

function wrong(why: string): InvalidCommandError {
  return new InvalidCommandError(`a script template is wrong: ${why}`, { operation: "script" });
}

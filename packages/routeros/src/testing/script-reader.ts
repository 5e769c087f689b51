/**
 * Reads the script text we write: commands of words and `name=value` arguments, strings with their escapes. It refuses
 * everything else, a `$` that would expand above all, and so is no interpreter.
 * Source of the escapes: MikroTik manual, "Scripting", section on constant escape sequences.
 */

const ESCAPES: Readonly<Record<string, number>> = {
  '"': 0x22,
  "\\": 0x5c,
  $: 0x24,
  "?": 0x3f,
  _: 0x20,
  n: 10,
  r: 13,
  t: 9,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
};

export interface ReadCommand {
  /** What is neither string nor argument, in order. */
  readonly words: readonly string[];
  readonly values: Readonly<Record<string, Buffer>>;
}

/** The commands of a script. */
export function readScript(text: string): ReadCommand[] {
  const commands: ReadCommand[] = [];
  let words: string[] = [];
  let values: Record<string, Buffer> = {};
  const finish = (): void => {
    if (words.length > 0) commands.push({ words, values });
    words = [];
    values = {};
  };
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at, at + 200);
    const [ending] = /^[\n;]/.exec(rest) ?? [];
    const [blank] = /^[ \t]+/.exec(rest) ?? [];
    const [argument, name = ""] = /^([A-Za-z0-9-]+)=/.exec(rest) ?? [];
    const [word] = /^[/A-Za-z0-9*-]+/.exec(rest) ?? [];
    if (ending) {
      finish();
      at += 1;
    } else if (blank) at += blank.length;
    else if (argument) {
      const { bytes, end } = readString(text, at + argument.length);
      values[name] = bytes;
      at = end;
    } else if (word) {
      words.push(word);
      at += word.length;
    } else throw new Error(`unexpected ${JSON.stringify(rest.slice(0, 20))}`);
  }
  finish();
  return commands;
}

/** The value of the string that begins at `at`, and where it ends. */
export function readString(text: string, at = 0): { bytes: Buffer; end: number } {
  if (text[at] !== '"') throw new Error("a string begins with a quote");
  const bytes: number[] = [];
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i] ?? "";
    if (character === '"') return { bytes: Buffer.from(bytes), end: i + 1 };
    if (character === "$" || character < " " || character > "~") throw new Error("expanded or not printable");
    if (character !== "\\") {
      bytes.push(character.charCodeAt(0));
      continue;
    }
    const [hex] = /^[0-9A-F]{2}/.exec(text.slice(i + 1, i + 3)) ?? [];
    const escaped = hex === undefined ? ESCAPES[text[i + 1] ?? ""] : Number.parseInt(hex, 16);
    if (escaped === undefined) throw new Error("unknown escape");
    bytes.push(escaped);
    i += hex === undefined ? 1 : 2;
  }
  throw new Error("a string does not end");
}

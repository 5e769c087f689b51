import fc from "fast-check";
import { expect, test } from "vitest";
import { featuresOf } from "../features.ts";
import { menusFor } from "../menus/index.ts";
import type { Code } from "./ast.ts";
import { Dictionary } from "./dictionary.ts";
import { ScriptSyntaxError } from "./errors.ts";
import { Parser } from "./parser.ts";
import { Names } from "./scope.ts";

const dictionaryOf = (version: string) =>
  new Dictionary({ menus: menusFor(version), features: featuresOf(version) });
const dictionary = dictionaryOf("7.22.1");

function parse(text: string, of = dictionary): Code {
  return new Parser(text, of, { names: new Names(undefined) }).script();
}

/** Whatever comes in, a syntax tree or a syntax error inside the text comes out. */
function survives(text: string): void {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof ScriptSyntaxError)) throw error;
    const lines = text.split(/\r\n?|\n/);
    expect(error.position.line).toBeLessThanOrEqual(lines.length);
    expect(error.position.column).toBeLessThanOrEqual((lines[error.position.line - 1]?.length ?? 0) + 1);
  }
}

const PIECES = [
  ..."{}[]()$\"\\;:/.,#=!<>~+-*%&|^ \n\r\t?_@'`",
  ...'$a $1 \\" \\\n \\41 -> && || << >> != ..'.split(" "),
  ...":put :local :global :set :if :do :while :foreach :for :onerror :parse :return :error :len".split(" "),
  ...'do={ else={ in= from= to= while=( on-error={ "a" 1 0x1 1d 10:00:00 1.2.3.4 1.2.3.0/24 ::1 *1F'.split(
    " ",
  ),
  ..." /ip service /user set add find where print remove get name= name=a disabled=yes numbers=1 and or in a x".split(
    " ",
  ),
];

test("100 000 random texts of pieces of the language neither break nor hang the parser", () => {
  const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(""));
  const spaced = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(" "));
  fc.assert(
    fc.property(fc.array(fc.oneof(text, spaced), { minLength: 10, maxLength: 10 }), (texts) => {
      for (const each of texts) survives(each);
    }),
    { numRuns: 10_000 },
  );
}, 120_000);

test("random bytes neither break nor hang the parser", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), survives), { numRuns: 5000 });
});

test("brackets nested beyond all sense are a syntax error", () => {
  for (const open of ["{", "(", "[", ":put (", ":put [:len ", "!", ":if (true) do={", '"$(', ":put {"]) {
    expect(() => parse(open.repeat(20_000))).toThrow(ScriptSyntaxError);
  }
});

test("long scripts are read in time that grows with their length", () => {
  expect(parse(':put "a line"\n'.repeat(20_000)).body).toHaveLength(20_000);
  expect(() => parse("(".repeat(100_000))).toThrow(ScriptSyntaxError);
});

test.each([
  [":onerror e in={} do={}", "7.12"],
  [":serialize value=1 to=json", "7.12"],
  [":exit", "7.20"],
  ["/safe-mode take", "7.17"],
  ["/system scheduler add name=x days=mon", "7.23"],
  ["/file read file=x", "7.12"],
  ["/import x dry-run", "7.15"],
  ['/execute ":put 1" as-string', "6.49"],
  ["/tool fetch url=x http-max-redirect-count=1", "7.17"],
])("%j is of later versions than %s", (source, version) => {
  expect(() => parse(source, dictionaryOf(version))).toThrow(/bad command name|expected end of command/);
  expect(() => parse(source, dictionaryOf("7.24"))).not.toThrow();
});

test("what is still open at the end of a text says so, for a console to ask for more", () => {
  const incomplete = (text: string) => {
    try {
      parse(text);
    } catch (error) {
      return error instanceof ScriptSyntaxError && error.incomplete;
    }
    return undefined;
  };
  expect(["{", ':put "a', ":put (1 +", ":if (true) do={\n:put a"].map(incomplete)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([":put a }", ":put a b", "nonsense"].map(incomplete)).toEqual([false, false, false]);
});

test("a value written with its odd bytes as \\XX is that value, and never a second command", () => {
  const encode = (bytes: Uint8Array) =>
    Array.from(bytes, (byte) => {
      const character = String.fromCharCode(byte);
      const hex = byte.toString(16).toUpperCase().padStart(2, "0");
      return /[A-Za-z0-9 ._:/@,+-]/.test(character) ? character : `\\${hex}`;
    }).join("");
  const hostile = [
    '"; /user add name=x',
    "$[/system reboot]",
    "[:execute x]",
    "\n/user remove [find]\n",
    "\0?\\",
    "#",
  ];
  const samples = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(...hostile).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(samples, (bytes) => {
      const [statement, ...others] = parse(`/user add name="${encode(bytes)}"`).body;
      expect(others).toEqual([]);
      const name = statement?.kind === "command" ? statement.given.get("name") : undefined;
      expect(name).toEqual({
        kind: "literal",
        value: { type: "str", value: Buffer.from(bytes).toString("latin1") },
      });
    }),
    { numRuns: 2000 },
  );
});

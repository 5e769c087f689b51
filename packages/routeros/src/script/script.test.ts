import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidCommandError, InvalidValueError } from "../errors.ts";
import { readScript, readString } from "../testing/script-reader.ts";
import { array, duration, identifier, itemId, list, menu, type Script, script, value } from "./index.ts";

/** What breaks encoders that are not ours. */
const HOSTILE = [
  '"; /user add name=evil group=full password="',
  "$[/system reboot]",
  "[:execute {/system reboot}]",
  "\\",
  '\\"',
  "\\5C",
  "?",
  "$name",
  "a\nb\r\nc",
  "\0",
  "\x7f\x1b[31m",
  "{}()#;=`x`",
  "é€\u{10ffff}\ufeff\u0080\u07ff\u0800\uffff",
  "",
  " ",
];
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom(...HOSTILE)).map((parts) => parts.join("")),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.string()).map(([hostile, rest]) => rest + hostile),
);

describe("a value", () => {
  test.each(HOSTILE)("%j is read back as it was", (text) => {
    expect(readString(value(text).text).bytes.toString()).toBe(text);
  });

  test("of any bytes is read back byte for byte, from printable ASCII without anything special", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const { text } = value(all);
    expect(readString(text)).toEqual({ bytes: Buffer.from(all), end: text.length });
    expect(text).toMatch(/^"(?:[A-Za-z0-9 ._:/@,+-]|\\[0-9A-F]{2})*"$/);
  });

  test("stays the value of its one argument, in a hundred thousand commands", () => {
    const property = fc.property(anyText, anyText, (name, comment) => {
      const { text } =
        script`/user add name=${value(name)} comment=${value(comment)} disabled=${value("no")}`;
      const [command, ...more] = readScript(text);
      if (more.length > 0 || command?.words.join(" ") !== "/user add") return false;
      const { name: first, comment: second, disabled, ...others } = command.values;
      return (
        first?.toString() === name &&
        second?.toString() === comment &&
        disabled?.toString() === "no" &&
        Object.keys(others).length === 0
      );
    });
    fc.assert(property, { numRuns: 100_000 });
  });

  test("numbers, booleans, durations and ids go without quotes", () => {
    const { text } =
      script`set ${itemId("*1F")} port=${value(22)} disabled=${value(true)} interval=${duration(90_000)}`;
    expect(text).toBe("set *1F port=22 disabled=yes interval=1m30s");
  });

  test("lists are one value, arrays are RouterOS's", () => {
    expect(script`policy=${list(["read", "!ftp"])}`.text).toBe('policy="read,\\21ftp"');
    expect(script`:foreach x in=${array(["a", 1])} do={}`.text).toBe(':foreach x in={"a";1} do={}');
    expect(script`:local x ${array([])}`.text).toBe(':local x [:toarray ""]');
  });

  test.each([
    ["half a surrogate pair", () => value("\ud800")],
    ["a fraction", () => value(1.5)],
    ["no number", () => value(Number.NaN)],
    ["an id that is code", () => itemId("[find]")],
    ["a list element with a comma", () => list(["a,b"])],
  ])("%s is refused", (_, make) => {
    expect(make).toThrow(InvalidValueError);
  });
});

describe("names", () => {
  test("menus are written as RouterOS 6 and 7 both read them", () => {
    expect(script`${menu("/ip/firewall/filter")} print`.text).toBe("/ip firewall filter print");
  });

  test.each(["", "a b", "a=b", "a;b", "-a", "a-", "a--b", "$a", '"a"', "a\n", "é", "[find]"])(
    "%j is no identifier",
    (name) => {
      expect(() => identifier(name)).toThrow(InvalidValueError);
      expect(() => menu(`/${name}`)).toThrow(InvalidValueError);
    },
  );

  test("variables have no dashes, properties may", () => {
    expect(script`set ${identifier("max-sessions")}=${value(5)}`.text).toBe("set max-sessions=5");
    expect(script`:put $${identifier("mark")}`.text).toBe(":put $mark");
    expect(() => script`:put $${identifier("my-mark")}`).toThrow(InvalidCommandError);
    expect(() => script`:local ${identifier("my-mark")} 1`).toThrow(InvalidCommandError);
  });
});

describe("a script in a script", () => {
  const wrap = (inner: Script) => script`/system scheduler add name=${value("undo")} on-event=${inner}`;

  test("as a value gets a round of escaping for every depth, and is read back", () => {
    const property = fc.property(anyText, fc.nat(4), (name, depth) => {
      let text = "";
      let outer = script`/user remove name=${value(name)}`;
      const innermost = outer.text;
      for (let i = 0; i < depth; i++) outer = wrap(outer);
      text = outer.text;
      for (let i = 0; i < depth; i++) text = readScript(text)[0]?.values["on-event"]?.toString() ?? "";
      return text === innermost && readScript(text)[0]?.values.name?.toString() === name;
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test("elsewhere is code: in braces, on lines of their own", () => {
    const steps = [script`/user add name=${value("a")}`, script`/user add name=${value("b")}`];
    expect(script`:do { ${steps} } on-error={}`.text).toBe(
      ':do { /user add name="a"\n/user add name="b" } on-error={}',
    );
  });

  test("that ends in a comment does not comment out what follows", () => {
    expect(script`{ ${script`:put 1 # one`} }`.text).toBe("{ :put 1 # one\n }");
  });
});

describe("a template that is wrong in itself", () => {
  const x = value("x");
  test.each([
    ["a placeholder inside quotes", () => script`:log info "hello ${x}"`],
    ["a placeholder behind an escaped quote", () => script`:log info "\" ${x}"`],
    ["a placeholder in a comment", () => script`# for ${x}`],
    ["a value glued to text before it", () => script`name=a${x}`],
    ["a value glued to text behind it", () => script`name=${x}b`],
    ["two values without a space", () => script`name=${x}${x}`],
    ["a string that does not end", () => script`:put "x`],
    ["characters that are not ASCII", () => script`:put "é"`],
    ["a plain text as placeholder", () => script`:put ${"[/system reboot]" as unknown as Script}`],
    ["an object that looks like a script", () => script`:do { ${{ text: ":put 1" } as unknown as Script} }`],
    ["nothing as placeholder", () => script`:put ${undefined as unknown as Script}`],
  ])("%s is refused", (_, write) => {
    expect(write).toThrow(InvalidCommandError);
  });

  test("a quote or a number sign where it means nothing special is no mistake", () => {
    expect(
      script`:put "# \" #" # "comment
name=${x}`.text,
    ).toBe(':put "# \\" #" # "comment\nname="x"');
  });
});

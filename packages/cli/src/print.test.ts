import { expect, test } from "vitest";
import { facts, printable, table } from "./print.ts";

test("a table is aligned, has no lines, and shows nothing as a dash", () => {
  const text = table(
    ["name", "port"],
    [
      ["ssh", 22],
      ["longer-name", null],
    ],
  );

  expect(text.split("\n")).toEqual(["NAME         PORT", "ssh          22", "longer-name  -"]);
});

test("facts stand one per line with their names aligned", () => {
  expect(facts({ Id: 7, Default: true, Model: undefined })).toBe("Id       7\nDefault  yes\nModel    -");
});

test("what a router calls itself can't drive the terminal", () => {
  expect(printable("edge\u001b[2J\r\nroot# \u202egnp\u0007")).toBe(
    "edge\\x1b[2J\\x0d\\x0aroot# \\u{202e}gnp\\x07",
  );
  expect(table(["name"], [["a\nb"]])).toBe("NAME\na\\x0ab");
});

test("letters of every language stay as they are", () => {
  expect(printable("Zürich-北京 📡")).toBe("Zürich-北京 📡");
});

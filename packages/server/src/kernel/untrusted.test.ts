import { expect, test } from "vitest";
import { printable } from "./untrusted.ts";

test("control characters are shown as RouterOS writes them, others without a glyph by their number", () => {
  expect(printable("a\u0000b\u0085c\u202ed\ud800", 100)).toBe("a\\00b\\85c\\u{202E}d\\u{D800}");
  expect(printable("a\r\n\u001b[31mb\u2028c\ufeff", 100)).toBe("a\\0D\\0A\\1B[31mb\\u{2028}c\\u{FEFF}");
});

test("text that people can read stays as it is", () => {
  expect(printable("čaj 🫖 \\0A", 100)).toBe("čaj 🫖 \\0A");
});

test("a text is cut where it is too long, and says so", () => {
  expect(printable("x".repeat(500), 500)).toBe("x".repeat(500));
  expect(printable("x".repeat(501), 500)).toBe(`${"x".repeat(499)}…`);
  expect(printable("\n".repeat(9), 6)).toBe("\\0A\\0…");
});

test("a character that is cut in half is not shown", () => {
  expect(printable("ab🫖", 2)).toBe("a…");
  expect(printable("ab🫖d", 4)).toBe("ab…");
});

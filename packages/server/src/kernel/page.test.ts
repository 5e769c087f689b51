import { expect, test } from "vitest";
import { z } from "zod";
import { pageOf, readCursor, timeAndId, writeCursor } from "./page.ts";

const form = z.tuple([z.string().regex(/^\d+$/)]);

test("a page names the next one exactly when there is a row beyond it", () => {
  const page = (count: number) =>
    pageOf(
      Array.from({ length: count }, (_, index) => index + 1),
      3,
      (row) => [`${row}`],
      (row) => row,
    );
  expect(page(0)).toEqual({ data: [], next_cursor: null });
  expect(page(3)).toEqual({ data: [1, 2, 3], next_cursor: null });
  expect(page(4)).toEqual({ data: [1, 2, 3], next_cursor: writeCursor(["3"]) });
});

test("a cursor comes back as the position it was made of", () => {
  expect(readCursor(writeCursor(["17"]), form)).toEqual(["17"]);
  expect(readCursor(undefined, form)).toBeUndefined();
});

test("what is no cursor of this list is named as the field to correct", () => {
  const invalid = ["", "?", "W10", writeCursor(["17", "18"]), writeCursor(["x"]), "%00", "x".repeat(900)];
  for (const cursor of invalid) {
    expect(() => readCursor(cursor, form), cursor).toThrow(
      expect.objectContaining({ status: 422, errors: { cursor: [expect.any(String)] } }),
    );
  }
});

test("a position by time keeps the microseconds of the database", () => {
  const position = ["2026-03-01T09:30:00.123456Z", "123e4567-e89b-42d3-a456-426614174000"];
  expect(readCursor(writeCursor(position), timeAndId)).toEqual(position);
});

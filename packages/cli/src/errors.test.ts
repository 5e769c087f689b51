import { expect, test } from "vitest";
import { explain, OperatorError } from "./errors.ts";

test("an operator's error is its message and nothing else", () => {
  expect(explain(new OperatorError("do this", { cause: new Error("because") }))).toBe("do this");
});

test("other errors tell what happened and why, in one line, each thing once", () => {
  const why = new Error("the disk\nis full");
  const error = new Error("could not save", { cause: new Error("write failed", { cause: why }) });

  expect(explain(error)).toBe("could not save: write failed: the disk; is full");
  expect(explain(new Error("could not save: the reason", { cause: new Error("the reason") }))).toBe(
    "could not save: the reason",
  );
});

test("a group of errors without a message of its own speaks with its first", () => {
  expect(explain(new AggregateError([new Error("no answer"), new Error("no route")]))).toBe("no answer");
});

test("a chain of causes that never ends does not hold the explanation up", () => {
  const error = new Error("a");
  error.cause = error;

  expect(explain(error)).toBe("a");
});

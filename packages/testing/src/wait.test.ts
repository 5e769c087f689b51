import { expect, test } from "vitest";
import { waitFor } from "./wait.ts";

test("a condition that comes to hold answers with its value", async () => {
  let looks = 0;
  expect(await waitFor(() => ++looks > 3 && `after ${looks}`)).toBe("after 4");
});

test("zero and the empty text hold; false, null and undefined do not", async () => {
  expect(await waitFor(() => 0)).toBe(0);
  expect(await waitFor(() => "")).toBe("");
  for (const nothing of [false, null, undefined]) {
    await expect(waitFor(() => nothing, { within: 5 })).rejects.toThrow(`looks: ${nothing}`);
  }
});

test("a condition that throws is looked at again, and its last error is the cause of the failure", async () => {
  let looks = 0;
  const once = () => {
    if (++looks < 3) throw new Error(`look ${looks}`);
    return "held";
  };
  expect(await waitFor(once)).toBe("held");
  const failure = await waitFor(() => Promise.reject(new Error("no answer")), { within: 5 }).catch((e) => e);
  expect(failure.message).toMatch(/; last of \d+ looks: no answer$/);
  expect(failure.cause).toEqual(new Error("no answer"));
});

test("the failure names what was waited for, else the condition itself, and shows what there was instead", async () => {
  let state = "pending";
  const seen = () => {
    state += " for long";
    return { state };
  };
  await expect(waitFor(() => state === "done", { within: 5, what: "the end", seen })).rejects.toThrow(
    /^waited 5 ms for the end; last of \d+ looks: \{ state: 'pending for long' \}$/,
  );
  await expect(waitFor(() => state === "done", { within: 5 })).rejects.toThrow('state === "done"; last of');
});

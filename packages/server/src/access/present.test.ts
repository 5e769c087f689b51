import { expect, test } from "vitest";
import { documentTime } from "../kernel/document-time.ts";
import { timeToExpire } from "./present.ts";

test.each([
  [3599.9, "59 minutes from now"],
  [3600, "1 hour from now"],
  [86_400, "24 hours from now"],
  [61, "1 minute from now"],
  [59.5, "59 seconds from now"],
  [1, "1 second from now"],
  [0, "0 seconds ago"],
  [-90, "1 minute ago"],
])("%d seconds left read %j", (seconds, text) => {
  expect(timeToExpire(seconds)).toBe(text);
});

test("times have the form of the control-plane API's document, in UTC", () => {
  expect(documentTime(new Date("2023-11-08T01:01:52.999Z"))).toBe("08 Nov 2023 01:01:52");
});

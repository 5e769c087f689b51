import { expect, test } from "vitest";
import { canonicalAddress } from "./source.ts";

test.each([
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["::1", "::1"],
])("%s is compared as %s", (remoteAddress, canonical) => {
  expect(canonicalAddress(remoteAddress)).toBe(canonical);
});

import { FIREWALL_NON_MATCHERS, type Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import { everybody } from "./address-set.ts";
import { matchRule } from "./matchers.ts";

const SSH = { family: "ipv4", port: 22 } as const;
const ALL = everybody("ipv4");
const nobodyListed = () => ({ certain: [], possible: [] });
const matched = (row: Row) => matchRule(row, SSH, ALL, nobodyListed, () => {});

test.each([...FIREWALL_NON_MATCHERS])("%s does not narrow which connections a rule matches", (property) => {
  expect(matched({ ".id": "*1", [property]: "anything" })).toEqual({
    certain: ALL,
    uncertain: [],
    unknowns: [],
  });
});

test("a property nobody knows may narrow a rule: nothing is certain of it", () => {
  expect(matched({ "something-new": "1" })).toMatchObject({
    certain: [],
    uncertain: ALL,
    unknowns: [{ text: "something-new=1" }],
  });
});

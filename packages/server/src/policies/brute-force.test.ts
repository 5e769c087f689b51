import { expect, test } from "vitest";
import { bruteForceRules } from "./brute-force.ts";

const options = { chain: "portreeve", ports: [8291, 22, 22], trustedList: "portreeve-trusted" };
const rules = bruteForceRules(options);

test("one rule leads untrusted new connections to the counting chain, banned sources are dropped first", () => {
  expect(rules[0]).toMatchObject({
    chain: "portreeve",
    action: "jump",
    "jump-target": rules[1]?.chain,
    protocol: "tcp",
    "dst-port": "22,8291",
    "connection-state": "new",
    "src-address-list": "!portreeve-trusted",
  });
  expect(rules[1]).toMatchObject({ action: "drop", "src-address-list": "portreeve-blacklist" });
});

test("the stages stand in reverse: blacklist, third, second, first, and the drop of who was just banned", () => {
  const stages = rules.slice(2, -1);
  expect(stages.map((rule) => [rule["src-address-list"], rule["address-list"]])).toEqual([
    ["portreeve-connection3", "portreeve-blacklist"],
    ["portreeve-connection2", "portreeve-connection3"],
    ["portreeve-connection1", "portreeve-connection2"],
    [undefined, "portreeve-connection1"],
  ]);
  expect(stages.map((rule) => rule["address-list-timeout"])).toEqual(["1d", "1h", "15m", "5m"]);
  expect(rules.at(-1)).toMatchObject({ action: "drop", "src-address-list": "portreeve-blacklist" });
});

test("every rule is told from the others by an ASCII comment that says whose it is", () => {
  const comments = rules.map(({ comment }) => comment);
  expect(new Set(comments).size).toBe(rules.length);
  for (const comment of comments) expect(comment).toMatch(/^portreeve: brute force - [a-z0-9 ]+$/);
});

test("without a port open beyond the trusted networks there is nothing to count", () => {
  expect(bruteForceRules({ ...options, ports: [] })).toEqual([]);
});

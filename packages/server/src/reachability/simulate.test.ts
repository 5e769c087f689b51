import type { Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import type { Observed, Step } from "../reconcile/types.ts";
import { simulate } from "./index.ts";
import { router, rules, services } from "./testing.fixture.ts";

const FILTER = "/ip/firewall/filter";

function step(parts: Partial<Omit<Step, "command">> & { command: string }): Step {
  const target = { key: "" };
  return {
    menu: FILTER,
    target,
    values: {},
    secrets: {},
    inverse: undefined,
    touchesWayIn: false,
    text: "",
    ...parts,
  } as Step;
}

const before = router({ filter: rules({ comment: "a" }, { comment: "b" }, { comment: "c" }) });
const comments = (observed: Observed) => observed.get(FILTER)?.map(({ comment }) => comment);
const add = (comment: string, values: Row = {}) =>
  step({ command: "add", target: { key: comment }, values: { comment, chain: "input", ...values } });

test("a rule is added at the end, or in front of the one it names", () => {
  expect(comments(simulate(before, [add("new")]))).toEqual(["a", "b", "c", "new"]);
  const first = simulate(before, [add("new", { "place-before": "*1", disabled: "yes" })]);
  expect(comments(first)).toEqual(["new", "a", "b", "c"]);
  expect(first.get(FILTER)?.[0]).toEqual({
    ".id": "*new1",
    comment: "new",
    chain: "input",
    disabled: "true",
  });
});

test("a rule moves in front of another, forwards and backwards", () => {
  const move = (id: string, destination: string) =>
    step({ command: "move", target: { key: "", id }, values: { destination } });
  expect(comments(simulate(before, [move("*3", "*1")]))).toEqual(["c", "a", "b"]);
  expect(comments(simulate(before, [move("*1", "*3")]))).toEqual(["b", "a", "c"]);
});

test("rules are changed and removed by their id, and nothing else changes", () => {
  const steps = [
    step({ command: "set", target: { key: "a", id: "*1" }, values: { action: "drop" } }),
    step({ command: "remove", target: { key: "b", id: "*2" } }),
    step({ command: "remove", target: { key: "gone", id: "*9" } }),
  ];
  const after = simulate(before, steps);
  expect(after.get(FILTER)).toEqual([
    { ".id": "*1", chain: "input", comment: "a", action: "drop" },
    { ".id": "*3", chain: "input", comment: "c" },
  ]);
  expect(comments(before)).toEqual(["a", "b", "c"]);
  expect(after.get("/ip/service")).toBe(before.get("/ip/service"));
});

test("steps build on each other, and a menu that was not there begins empty", () => {
  const menu = "/ipv6/firewall/address-list";
  const after = simulate(new Map(), [
    step({ menu, command: "add", values: { list: "l", address: "::1/128" } }),
    step({ menu, command: "add", values: { list: "l", address: "::2/128" } }),
  ]);
  expect(after.get(menu)?.map((row) => row[".id"])).toEqual(["*new1", "*new2"]);
});

test("the sources of a service are read back under the name they were written under", () => {
  const observed = router({ services: services({ ssh: { "available-from": "10.0.0.0/8" } }) });
  const set = (values: Row) =>
    step({ menu: "/ip/service", command: "set", target: { key: "ssh", id: "*3" }, values: { ...values } });
  const row = (values: Row) =>
    simulate(observed, [set(values)])
      .get("/ip/service")
      ?.find(({ name }) => name === "ssh");
  expect(row({ address: "192.0.2.0/24" })).not.toHaveProperty("available-from");
  expect(row({ address: "192.0.2.0/24" })).toMatchObject({ address: "192.0.2.0/24" });
  expect(row({ disabled: "yes" })).toMatchObject({ "available-from": "10.0.0.0/8", disabled: "true" });
});

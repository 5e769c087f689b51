import type { Row } from "@portreeve/routeros";
import { expect, test } from "vitest";
import type { Observed, Step } from "../reconcile/types.ts";
import { simulate } from "./index.ts";
import { router, rules, services } from "./testing.fixture.ts";

const FILTER = "/ip/firewall/filter";

function step({ id, ...parts }: Partial<Step> & Pick<Step, "command"> & { readonly id?: string }): Step {
  return {
    menu: FILTER,
    target: { field: "comment", key: "", ...(id === undefined ? {} : { id }) },
    values: {},
    secrets: {},
    inverse: [],
    touchesManagementPath: false,
    reportOnly: false,
    text: "",
    ...parts,
  };
}

const before = router({ filter: rules({ comment: "a" }, { comment: "b" }, { comment: "c" }) });
const comments = (observed: Observed) => observed.get(FILTER)?.map(({ comment }) => comment);
const add = (comment: string, values: Row = {}) =>
  step({ command: "add", values: { comment, chain: "input", ...values } });

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
  const move = (id: string, destination: string) => step({ command: "move", id, values: { destination } });
  expect(comments(simulate(before, [move("*3", "*1")]))).toEqual(["c", "a", "b"]);
  expect(comments(simulate(before, [move("*1", "*3")]))).toEqual(["b", "a", "c"]);
});

test("rules are changed and removed by their id, and nothing else changes", () => {
  const steps = [
    step({ command: "set", id: "*1", values: { action: "drop" } }),
    step({ command: "remove", id: "*2" }),
    step({ command: "remove", id: "*9" }),
  ];
  const after = simulate(before, steps);
  expect(after.get(FILTER)).toEqual([
    { ".id": "*1", chain: "input", comment: "a", action: "drop" },
    { ".id": "*3", chain: "input", comment: "c" },
  ]);
  expect(comments(before)).toEqual(["a", "b", "c"]);
  expect(after.get("/ip/service")).toBe(before.get("/ip/service"));
});

test("a step that is only reported changes nothing", () => {
  const reported = step({ command: "remove", id: "*1", reportOnly: true });
  expect(simulate(before, [reported])).toEqual(before);
});

test("a row that has no id yet is found by its key, and the row of a menu that has only one without any", () => {
  const target = { field: "comment", key: "new" };
  const after = simulate(before, [add("new"), step({ command: "set", target, values: { action: "drop" } })]);
  expect(after.get(FILTER)?.at(-1)).toMatchObject({ comment: "new", action: "drop" });
  const identity = new Map([["/system/identity", [{ name: "a" }]]]);
  const rename = step({ menu: "/system/identity", command: "set", values: { name: "b" } });
  expect(simulate(identity, [rename]).get("/system/identity")).toEqual([{ name: "b" }]);
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
  const set = (values: Row) => step({ menu: "/ip/service", command: "set", id: "*3", values: { ...values } });
  const row = (values: Row) =>
    simulate(observed, [set(values)])
      .get("/ip/service")
      ?.find(({ name }) => name === "ssh");
  expect(row({ address: "192.0.2.0/24" })).not.toHaveProperty("available-from");
  expect(row({ address: "192.0.2.0/24" })).toMatchObject({ address: "192.0.2.0/24" });
  expect(row({ disabled: "yes" })).toMatchObject({ "available-from": "10.0.0.0/8", disabled: "true" });
});

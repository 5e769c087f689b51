import { expect, test } from "vitest";
import { formatId, Table } from "./table.ts";

const spec = { path: "/test", commands: ["add", "set", "remove"] };

test("rows are found without comparing each with all others", () => {
  const rows = 50_000;
  const table = new Table(spec);
  const before = process.cpuUsage();
  for (let at = 0; at < rows; at++) {
    if (table.other(["name"], { name: `${at}` })) throw new Error("there is none of this name");
    table.add({ name: `${at}` });
  }
  for (let at = 1; at <= rows; at++) {
    const item = table.byId(formatId(at));
    if (item) table.set(item, { ...item.values, comment: "x" });
  }
  const { user } = process.cpuUsage(before);
  expect(table.items.filter(({ values }) => values.comment === "x")).toHaveLength(rows);
  // Some 2 500 000 000 comparisons would take ten seconds and more; without them it is a tenth of one.
  expect(user / 1e6).toBeLessThan(3);
});

test("another row of the same values is found in a table of any size, whatever has happened to it", () => {
  const table = new Table(spec);
  const fields = ["list", "address"];
  const rows = Array.from({ length: 200 }, (_, at) => table.add({ list: "a", address: `${at}` }));
  const [first, second] = rows;
  if (!first || !second) throw new Error("there are 200");
  expect(table.other(fields, { list: "a", address: "0" })).toBe(first);
  expect(table.other(fields, { list: "a", address: "0" }, first)).toBeUndefined();
  expect(table.other(fields, { list: "b", address: "0" })).toBeUndefined();
  table.set(first, { list: "b", address: "0" });
  expect(table.other(fields, { list: "a", address: "0" })).toBeUndefined();
  expect(table.other(fields, { list: "b", address: "0" })).toBe(first);
  // Rows nobody checked, as the firewall makes them.
  const duplicate = table.add({ list: "b", address: "0" });
  expect(table.other(fields, { list: "b", address: "0" }, first)).toBe(duplicate);
  table.remove(first);
  expect(table.other(fields, { list: "b", address: "0" })).toBe(duplicate);
  table.move([second], undefined);
  table.restore({ nextId: 1, items: [{ id: "*7", values: { list: "c", address: "1" } }] });
  expect(table.other(fields, { list: "a", address: "1" })).toBeUndefined();
  expect(table.byId("*7")?.values).toMatchObject({ list: "c" });
  expect(table.byId(second.id)).toBeUndefined();
});

test("taking changes back announces the rows that differ, and no others", () => {
  const table = new Table(spec);
  const [kept, changed] = [table.add({ name: "kept" }), table.add({ name: "changed" })];
  const state = table.state();
  table.set(changed, { name: "other" });
  const added = table.add({ name: "added" });
  const seen: string[] = [];
  table.onChange(({ kind, item }) => seen.push(`${kind} ${item.id}`));
  table.restore(state);
  expect(seen).toEqual([`removed ${added.id}`, `changed ${changed.id}`]);
  expect(table.items).toEqual([kept, changed]);
});

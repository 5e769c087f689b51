import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "./journal.ts";

let directory: string;
let path: string;
let broken: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "portreeve-journal-"));
  path = join(directory, "state", "test.journal");
  broken = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = () => Journal.open(path, (aside) => broken.push(aside));

test("what was put is there after a restart, and what was forgotten is not", async () => {
  {
    await using journal = await open();
    await journal.put({ a: 1, b: { c: "text" }, d: null });
    await journal.put({ a: undefined, b: 2 });
  }
  await using journal = await open();
  expect([...journal.entries()]).toEqual([
    ["b", 2],
    ["d", null],
  ]);
});

test("it is written before the promise resolves", async () => {
  await using journal = await open();
  await journal.put({ key: "value" });
  expect(await readFile(path, "utf8")).toContain("value");
});

test("only its owner can read it", async () => {
  await using _journal = await open();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("puts at the same time all stand when each resolves", async () => {
  {
    await using journal = await open();
    await Promise.all(Array.from({ length: 500 }, (_, number) => journal.put({ [`key${number}`]: number })));
  }
  await using journal = await open();
  expect(journal.entries().size).toBe(500);
});

test("a last line that a crash cut short is dropped, and what follows it can be read", async () => {
  {
    await using journal = await open();
    await journal.put({ a: 1 });
  }
  await appendFile(path, '00000000 [{"b":');
  {
    await using journal = await open();
    expect(journal.get("a")).toBe(1);
    await journal.put({ c: 3 });
  }
  await using journal = await open();
  expect([...journal.entries().keys()]).toEqual(["a", "c"]);
  expect(broken).toEqual([]);
});

test("a journal with a broken line before others is put aside", async () => {
  {
    await using journal = await open();
    await journal.put({ a: 1 });
    await journal.put({ b: 2 });
  }
  const content = await readFile(path, "utf8");
  await writeFile(path, content.replace('"a":1', '"a":2'));
  await using journal = await open();
  expect(journal.entries().size).toBe(0);
  expect(broken).toEqual([`${path}.broken`]);
  expect(await readFile(`${path}.broken`, "utf8")).toContain('"b":2');
});

test("the file stays small however often a value changes", async () => {
  {
    await using journal = await open();
    for (let round = 0; round < 50; round++)
      await Promise.all(
        Array.from({ length: 100 }, (_, number) => journal.put({ time: round * 100 + number })),
      );
  }
  expect((await stat(path)).size).toBeLessThan(100_000);
  await using journal = await open();
  expect(journal.get("time")).toBe(4_999);
});

import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { preparePackage } from "./binaries.ts";

/** Nobody's, so neither the owner's nor the group's mode bits are its. */
const stranger = { uid: 54_321, gid: 54_321 };

let base: string;
let native: string;
let dataDir: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "portreeve-binaries-"));
  await chmod(base, 0o755);
  native = join(base, "modules/native");
  dataDir = join(base, "data");
  await mkdir(join(native, "bin"), { recursive: true });
  await mkdir(join(native, "lib"));
  await mkdir(dataDir);
  await writeFile(join(native, "bin/postgres"), "program", { mode: 0o755 });
  await writeFile(join(native, "lib/libx.so.1.2"), "library");
  const links = [{ source: "native/lib/libx.so.1.2", target: "native/lib/libx.so.1" }];
  await writeFile(join(native, "pg-symlinks.json"), JSON.stringify(links));
});
afterEach(async () => {
  await rm(base, { recursive: true });
});

const prepare = (account?: typeof stranger) =>
  preparePackage(native, { name: "postgresql-1", dataDir, account });

test("the links the package's install script would make are made in place, once", async () => {
  expect(await prepare()).toBe(native);
  expect(await prepare()).toBe(native);
  expect(await readlink(join(native, "lib/libx.so.1"))).toBe("libx.so.1.2");
  expect(await readFile(join(native, "lib/libx.so.1"), "utf8")).toBe("library");
});

test("modules that another account can reach are used where they are", async () => {
  expect(await prepare(stranger)).toBe(native);
});

test("modules that another account cannot reach are copied, readable by all, with their links", async () => {
  await chmod(join(base, "modules"), 0o700);
  await chmod(join(native, "lib/libx.so.1.2"), 0o600);
  const copy = await prepare(stranger);
  expect(copy).toBe(join(dataDir, "postgresql-1/native"));
  expect(await readFile(join(copy, "lib/libx.so.1"), "utf8")).toBe("library");
  expect((await stat(join(copy, "lib/libx.so.1"))).mode & 0o777).toBe(0o644);
  expect((await stat(join(copy, "bin/postgres"))).mode & 0o777).toBe(0o755);
});

test("a copy is made once and found by those who come later or at the same time", async () => {
  await chmod(join(base, "modules"), 0o700);
  const copies = await Promise.all([prepare(stranger), prepare(stranger), prepare(stranger)]);
  expect(new Set(copies)).toEqual(new Set([join(dataDir, "postgresql-1/native")]));
  expect(await readdir(dataDir)).toEqual(["postgresql-1"]);
});

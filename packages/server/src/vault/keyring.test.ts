import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeyFileError } from "./errors.ts";
import { Keyring, loadKeyring } from "./keyring.ts";

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "portreeve-keys-"));
  path = join(directory, "master.key");
});
afterEach(() => rm(directory, { recursive: true }));

const empty = async () => false;
const inUse = async () => true;
const dataKey = randomBytes(32);
const write = (text: string, mode = 0o600) => writeFile(path, text, { mode });

test("a missing file is made, for its owner alone, and read again next time", async () => {
  const wrapped = (await loadKeyring(path, empty)).wrap(["context"], dataKey);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["master.key"]);
  expect((await loadKeyring(path, inUse)).unwrap(["context"], wrapped)).toEqual(dataKey);
});

test("of several processes that start at once all use the same key", async () => {
  const keyrings = await Promise.all(Array.from({ length: 20 }, () => loadKeyring(path, empty)));
  const wrapped = keyrings[0]?.wrap(["context"], dataKey);
  for (const keyring of keyrings) expect(keyring.unwrap(["context"], wrapped as never)).toEqual(dataKey);
  expect(await readdir(directory)).toEqual(["master.key"]);
});

test("no new key is made when the database already holds secrets, and the message says what to do", async () => {
  await expect(loadKeyring(path, inUse)).rejects.toThrow(
    /every stored password would be lost. Restore the file from your backup/,
  );
  expect(await readdir(directory)).toEqual([]);
});

test("a file that other users can read or write is refused with the command that helps", async () => {
  await loadKeyring(path, empty);
  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    await chmod(path, mode);
    await expect(loadKeyring(path, empty)).rejects.toThrow(`chmod 600 ${path}`);
  }
  await chmod(path, 0o400);
  await expect(loadKeyring(path, empty)).resolves.toBeInstanceOf(Keyring);
});

test("the mode that counts is the file's own, also behind a symbolic link", async () => {
  const target = join(directory, "target.key");
  await writeFile(target, `1 ${dataKey.toString("base64")}\n`, { mode: 0o644 });
  await symlink(target, path);
  await expect(loadKeyring(path, empty)).rejects.toThrow(KeyFileError);
});

test("the newest version seals and older ones still open", async () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  await write(`1 ${first.toString("base64")}\n`);
  const old = (await loadKeyring(path, inUse)).wrap(["context"], dataKey);
  await write(`# comment\n\n1 ${first.toString("base64")} # the first\n10 ${second.toString("base64")}\n`);
  const keyring = await loadKeyring(path, inUse);
  expect(keyring.wrap(["context"], dataKey).keyVersion).toBe(10);
  expect(keyring.unwrap(["context"], old)).toEqual(dataKey);
  expect(keyring.has(2)).toBe(false);
});

test("a wrapped key opens with its own key, version and context only", async () => {
  const keys = new Map([
    [1, randomBytes(32)],
    [2, randomBytes(32)],
  ]);
  const keyring = new Keyring(keys);
  const wrapped = keyring.wrap(["data key", "a"], dataKey);
  expect(keyring.unwrap(["data key", "a"], wrapped)).toEqual(dataKey);
  expect(keyring.unwrap(["data key", "b"], wrapped)).toBeUndefined();
  expect(keyring.unwrap(["data keya"], wrapped)).toBeUndefined();
  expect(keyring.unwrap(["data key", "a"], { ...wrapped, keyVersion: 1 })).toBeUndefined();
  expect(new Keyring(new Map([[2, randomBytes(32)]])).unwrap(["data key", "a"], wrapped)).toBeUndefined();
});

test("a file in another form is refused by line and never quoted", async () => {
  const key = dataKey.toString("base64");
  const broken = [
    "",
    "# only a comment\n",
    `${key}\n`,
    `0 ${key}\n`,
    `1 ${key.slice(4)}\n`,
    `1 ${key}\n1 ${key}\n`,
    `1 ${key} x\n`,
  ];
  for (const text of broken) {
    await write(text);
    const error = await loadKeyring(path, empty).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error, text).toBeInstanceOf(KeyFileError);
    expect((error as Error).message).not.toContain(key.slice(4, 20));
  }
  expect(await readFile(path, "utf8")).toBe(broken.at(-1));
});

test("a directory in place of the file is a clear error", async () => {
  await expect(loadKeyring(directory, empty)).rejects.toThrow(KeyFileError);
  await expect(loadKeyring(join(directory, "missing", "master.key"), empty)).rejects.toThrow(
    "can't be created",
  );
});

/** OpenSSH's own `scp -O` with the router's files. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRouter, type TestRouter } from "../testing/scripts.ts";
import { readScp } from "./scp.ts";

const hasScp = spawnSync("which", ["scp"]).status === 0;

let directory: string;
const file = (name: string) => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "scp-"));
  writeFileSync(file("askpass"), '#!/bin/sh\nprintf %s "$ROUTER_PASSWORD"\n');
  chmodSync(file("askpass"), 0o700);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Run `scp -O` with the words given; `router:` in them is the router. */
async function scp(on: TestRouter, words: readonly string[], username = "admin", password = "") {
  const { address } = on.router;
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "PreferredAuthentications=password",
    "LogLevel=ERROR",
    "NumberOfPasswordPrompts=1",
  ];
  const child = spawn(
    "scp",
    [
      ...["-O", "-P", String(on.router.port("ssh"))],
      ...options.flatMap((option) => ["-o", option]),
      ...words.map((word) => word.replace(/^router:/, `${username}@${address}:`)),
    ],
    {
      cwd: directory,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        SSH_ASKPASS: file("askpass"),
        SSH_ASKPASS_REQUIRE: "force",
        ROUTER_PASSWORD: password,
      },
    },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code] = await once(child, "close");
  return { code, said };
}

const names = (on: TestRouter) => on.router.control.rows("/file").map(({ name }) => name);

test.skipIf(!hasScp)("scp -O brings files to the router and takes them away, byte for byte", async () => {
  await using on = await startRouter();
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
  writeFileSync(file("up.bin"), bytes);
  writeFileSync(file("empty.txt"), "");
  expect(await scp(on, ["-p", "up.bin", "empty.txt", "router:/"])).toEqual({ code: 0, said: "" });
  expect(await scp(on, ["up.bin", "router:renamed.bin"])).toEqual({ code: 0, said: "" });
  expect(names(on)).toEqual(["up.bin", "empty.txt", "renamed.bin"]);
  expect(on.router.control.rows("/file")[2]?.size).toBe("300000");
  expect(await scp(on, ["router:/renamed.bin", "router:empty.txt", "."])).toEqual({ code: 0, said: "" });
  expect(readFileSync(file("renamed.bin")).equals(bytes)).toBe(true);
});

test.skipIf(!hasScp)("directories go both ways with -r", async () => {
  await using on = await startRouter();
  mkdirSync(file("tree/inner"), { recursive: true });
  writeFileSync(file("tree/a.txt"), "a");
  writeFileSync(file("tree/inner/b.txt"), "b");
  expect(await scp(on, ["-r", "tree", "router:/"])).toEqual({ code: 0, said: "" });
  expect(names(on).toSorted()).toEqual(["tree", "tree/a.txt", "tree/inner", "tree/inner/b.txt"]);
  mkdirSync(file("back"));
  expect((await scp(on, ["router:tree", "back"])).code).toBe(1);
  expect(await scp(on, ["-r", "router:tree", "back"])).toEqual({ code: 0, said: "" });
  expect(readdirSync(file("back"), { recursive: true }).map(String).toSorted()).toEqual([
    "tree",
    "tree/a.txt",
    "tree/inner",
    "tree/inner/b.txt",
  ]);
});

test.skipIf(!hasScp)("what isn't there, and who may not, is refused", async () => {
  await using on = await startRouter();
  const missing = await scp(on, ["router:none.txt", "."]);
  expect([missing.code, missing.said.trim()]).toEqual([1, "scp: none.txt: No such file or directory"]);
  await on.router.control.addRow("/user/group", { name: "shell", policy: "ssh,read,write" });
  await on.router.control.addRow("/user", { name: "w", group: "shell", password: "p" });
  writeFileSync(file("x.txt"), "x");
  expect((await scp(on, ["x.txt", "router:/"], "w", "p")).code).not.toBe(0);
  expect(names(on)).toEqual([]);
});

test.each([
  ["scp -t /", { direction: "take", recursive: false, path: "" }],
  ["scp -v -r -p -d -t flash/sub", { direction: "take", recursive: true, path: "flash/sub" }],
  ["scp -pf -- a b.txt", { direction: "send", recursive: false, path: "a b.txt" }],
  ["scp a b", undefined],
  ["/system identity print", undefined],
])("%s is understood", (command, expected) => {
  expect(readScp(command)).toEqual(expected);
});

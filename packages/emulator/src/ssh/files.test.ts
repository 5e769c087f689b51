import { once } from "node:events";
import type ssh2 from "ssh2";
import { expect, test } from "vitest";
import { startRouter } from "../testing/scripts.ts";
import { connectSsh, done, readFile, sftpOf, writeFile } from "../testing/ssh-client.ts";

test("files go to the router over SFTP and come back byte for byte", async () => {
  await using on = await startRouter();
  const client = await connectSsh(on.router);
  const sftp = await sftpOf(client);
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256));
  await writeFile(sftp, "dir.bin", bytes);
  expect((await readFile(sftp, "/dir.bin")).equals(bytes)).toBe(true);
  expect(on.router.control.rows("/file")).toMatchObject([{ name: "dir.bin", size: "100000" }]);
  await done<void>((callback) => sftp.mkdir("sub", callback));
  await writeFile(sftp, "sub/a.txt", "text");
  await done<void>((callback) => sftp.rename("sub/a.txt", "sub/b.txt", callback));
  const names = await done<ssh2.FileEntryWithStats[]>((callback) => sftp.readdir("/", callback));
  expect(names.map(({ filename }) => filename).toSorted()).toEqual(["dir.bin", "sub"]);
  const inside = await done<ssh2.FileEntryWithStats[]>((callback) => sftp.readdir("sub", callback));
  expect(inside.map(({ filename }) => filename)).toEqual(["b.txt"]);
  const stats = await done<ssh2.Stats>((callback) => sftp.stat("sub/b.txt", callback));
  expect([stats.size, stats.isDirectory()]).toEqual([4, false]);
  await done<void>((callback) => sftp.unlink("sub/b.txt", callback));
  await done<void>((callback) => sftp.rmdir("sub", callback));
  await expect(readFile(sftp, "sub/b.txt")).rejects.toThrow();
  expect(on.router.control.rows("/file").map(({ name }) => name)).toEqual(["dir.bin"]);
  client.end();
});

test("an uploaded .auto.rsc runs by itself with the rights of who brought it, and leaves its log", async () => {
  await using on = await startRouter();
  await on.router.control.addRow("/user/group", { name: "files", policy: "ssh,ftp,read" });
  await on.router.control.addRow("/user", { name: "w", group: "files", password: "p" });
  const admin = await connectSsh(on.router);
  await writeFile(
    await sftpOf(admin),
    "set.auto.rsc",
    '/system identity set name=uploaded\n:put "all done"\n',
  );
  const log = (name: string) => on.router.control.rows("/file").find((row) => row.name === name)?.contents;
  await expect.poll(() => log("set.auto.log")).toBe("all done\n");
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "uploaded" }]);
  admin.end();
  const weak = await connectSsh(on.router, "w", "p");
  await writeFile(await sftpOf(weak), "no.auto.rsc", "/system identity set name=no\n");
  await expect.poll(() => log("no.auto.log")).toBe("not enough permissions (9)\n");
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "uploaded" }]);
  weak.end();
});

test("who lacks the policy ftp has no files over SSH", async () => {
  await using on = await startRouter({ users: [{ name: "r", password: "p", group: "read" }] });
  const client = await connectSsh(on.router, "r", "p");
  await expect(sftpOf(client)).rejects.toThrow();
  client.end();
});

test("the console goes into menus, shows them in its prompt, and takes a block over several lines", async () => {
  await using on = await startRouter({ identity: "gw" });
  const client = await connectSsh(on.router);
  const shell = await new Promise<ssh2.ClientChannel>((resolve, reject) => {
    client.shell((error, stream) => (error ? reject(error) : resolve(stream)));
  });
  let seen = "";
  shell.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
  });
  const closed = once(shell, "close");
  shell.write("/ip service\rset telnet disabled=yes\r:put [get telnet disabled]\r/\r");
  await expect.poll(() => seen).toContain("[admin@gw] /ip/service> ");
  await expect.poll(() => seen).toContain("true\r\n");
  shell.write(':if (true) do={\r:put "in a block"\r}\r');
  await expect.poll(() => seen).toContain("in a block\r\n");
  expect(seen).toContain("{... ");
  shell.write(":global kept 7\r:put $kept\r:local gone 1\r:put $gone\r:put (\r)\r");
  await expect.poll(() => seen).toContain("7\r\n");
  await expect.poll(() => seen).toMatch(/syntax error \(line 1 column 7\)/);
  shell.write("\x03:delay 1h\r");
  await expect.poll(() => on.router.control.rows("/system/script/job")).toHaveLength(1);
  shell.write("\x03");
  await expect.poll(() => seen).toContain("interrupted\r\n");
  shell.write("/quit\r");
  await closed;
  client.end();
});

test("a command that fails says why and exits with 1; what it printed before stays", async () => {
  await using on = await startRouter();
  const client = await connectSsh(on.router);
  const exec = (command: string) =>
    new Promise<{ output: string; code: number }>((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let output = "";
        let code = -1;
        channel.on("data", (chunk: Buffer) => {
          output += chunk.toString();
        });
        channel.on("exit", (exit: number) => {
          code = exit;
        });
        channel.once("close", () => resolve({ output, code }));
      });
    });
  expect(await exec(":put a; /user remove nobody")).toEqual({ output: "a\r\nno such item\r\n", code: 1 });
  expect(await exec(":put (1")).toEqual({ output: "syntax error (line 1 column 8)\r\n", code: 1 });
  expect(await exec("/user print detail where name=admin")).toMatchObject({ code: 0 });
  expect((await exec("/user print where name=admin")).output).toContain("NAME");
  expect((await exec("/export")).output).toContain("by RouterOS");
  client.end();
});

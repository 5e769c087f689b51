import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CliProcess, runCli, temporaryDirectory } from "../testing.ts";

const FREE_PORTS = ["api", "api-ssl", "ssh", "winbox", "http", "https", "telnet", "ftp"].flatMap((name) => [
  `--${name}-port`,
  "0",
]);
const SERVED = /^api {2,}(\d+) {2,}enabled$/m;
const emulated = (...words: string[]) => ["emulate", "--address", "127.0.0.1", ...FREE_PORTS, ...words];

/** Log in over the API, and what the router answers: words of less than 128 bytes, each behind its length. */
async function logIn(port: number, name: string, password: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  for (const word of ["/login", `=name=${name}`, `=password=${password}`, ""]) {
    socket.write(Buffer.from([word.length, ...Buffer.from(word)]));
  }
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString("latin1");
}

test("an emulated router says what it is, serves its user, and ends with a signal", async () => {
  await using router = new CliProcess(
    emulated("--user", "ops", "--identity", "edge-7", "--version", "7.20"),
    {
      PORTREEVE_EMULATOR_PASSWORD: "from the environment",
    },
  );
  const [, port] = await router.shows(SERVED);

  expect(router.stdout).toMatch(/^RouterOS +7\.20$/m);
  expect(router.stdout).toMatch(/^Identity +edge-7$/m);
  expect(router.stdout).toMatch(/^User +ops$/m);
  expect(router.stdout).toMatch(/^www-ssl +\d+ +disabled$/m);
  expect(await logIn(Number(port), "ops", "from the environment")).toContain("!done");
  expect(await logIn(Number(port), "ops", "another")).toContain("!trap");
  router.signal("SIGINT");
  expect(await router.finished()).toMatchObject({ code: 0, stderr: "" });
});

test("the password can come from a file or from standard input", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "password");
  await writeFile(file, "from a file\n");

  await using fromFile = new CliProcess(emulated("--password-file", file));
  expect(await logIn(Number((await fromFile.shows(SERVED))[1]), "admin", "from a file")).toContain("!done");
  await using fromInput = new CliProcess(emulated("--password-file", "-"), {}, "from input\n");
  expect(await logIn(Number((await fromInput.shows(SERVED))[1]), "admin", "from input")).toContain("!done");
});

test("with a state file the router comes back as it was", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "router.json");
  await using first = new CliProcess(emulated("--state-file", file, "--identity", "kept", "--password", "a"));
  const [, port] = await first.shows(SERVED);
  first.signal("SIGTERM");
  await first.finished();

  await using again = new CliProcess(
    emulated("--state-file", file, "--identity", "other", "--password", "b"),
  );
  expect((await again.shows(SERVED))[1]).toBe(port);
  expect(again.stdout).toMatch(/^Identity +kept$/m);
  expect(again.stdout).toContain("the router is as it was");
  expect(await logIn(Number(port), "admin", "a")).toContain("!done");
});

test("a service whose port can't be opened shows as invalid, with the reason", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await using router = new CliProcess([...emulated(), "--winbox-port", String(port)]);

  await router.shows(new RegExp(`^winbox +${port} +invalid: the port is already in use$`, "m"));
  other.close();
});

test.each([
  [["--version", "seven"], "not a RouterOS version"],
  [["--ssh-port", "99999"], "99999 is no port"],
  [["--password", "a", "--password-file", "b"], "give --password or --password-file, not both"],
  [["--password-file", "/nonexistent"], "/nonexistent can't be read (ENOENT)"],
  [["--address", "192.0.2.1"], "--address: 192.0.2.1 is not an address of this machine"],
])("%j is refused in one line", async (words, reason) => {
  const { code, stderr } = await runCli([...emulated(), ...words]);

  expect(stderr).toMatch(/^portreeve: [^\n]+\n$/);
  expect(stderr).toContain(reason);
  expect(code).toBe(1);
});

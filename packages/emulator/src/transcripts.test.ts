/**
 * Published exchanges with real routers, asked of the emulator. The captures are those the client library is tested
 * with; their sources stand beside them. Where a capture is of a menu the emulator hasn't, the same command is asked
 * of one it has, and only what depends on the menu differs.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { challengeResponse } from "./api/login.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./index.ts";
import { FREE_PORTS, RawClient } from "./testing/raw-client.ts";

interface Transcript {
  readonly name: string;
  readonly sent: readonly string[];
  readonly received: readonly (readonly string[])[];
  readonly dialogue?: readonly (readonly string[])[];
}

const transcripts: readonly Transcript[] = JSON.parse(
  readFileSync(new URL("../../routeros/src/testing/transcripts.json", import.meta.url), "utf8"),
);

const named = (name: string): Transcript => {
  const found = transcripts.find((transcript) => transcript.name === name);
  if (!found) throw new Error(`no transcript ${name}`);
  return found;
};

const start = (options: EmulatorOptions = {}) =>
  startEmulator({ ports: FREE_PORTS, password: "secret-2", ...options });

/** Ask what the capture asked, on a fresh connection, logged in or not. */
async function ask(router: Emulator, sent: readonly string[], login = true): Promise<string[][]> {
  const port = router.port("api");
  using client = login ? await RawClient.login(port, { password: "secret-2" }) : await RawClient.open(port);
  return await client.run(...sent);
}

const untagged = (sentences: readonly (readonly string[])[]) =>
  sentences.map((words) => words.filter((word) => !word.startsWith(".tag=")));

test.each([
  ["login plaintext, bad credentials", "7.19.4"],
  ["command before login", "7.16"],
])("%s: before the login", async (name, version) => {
  const { sent, received } = named(name);
  await using router = await start({ version });
  const words = sent[0] === "<any command>" ? ["/system/resource/print"] : sent;
  expect(await ask(router, words, false)).toEqual(received);
});

test.each([
  ["quit", "7.16"],
  ["unknown menu: two traps for one command", "6.49"],
])("%s: logged in", async (name, version) => {
  const { sent, received } = named(name);
  await using router = await start({ version });
  expect(await ask(router, sent)).toEqual(received);
});

test("system routerboard print (7.19.4): the same properties in the same order", async () => {
  const { sent, received } = named("system routerboard print (7.19.4)");
  const captured = Object.fromEntries((received[0] ?? []).slice(1).map((word) => word.slice(1).split("=")));
  await using router = await start({
    version: "7.19.4",
    model: captured.model,
    serialNumber: captured["serial-number"],
  });
  // The emulated board left the factory with the version it runs.
  const expected = received.map((words) =>
    words.map((word) => (word.startsWith("=factory-firmware=") ? "=factory-firmware=7.19.4" : word)),
  );
  expect(await ask(router, sent)).toEqual(expected);
});

test("login post-6.42, success", async () => {
  const { received } = named("login post-6.42, success");
  await using router = await start();
  expect(await ask(router, ["/login", "=name=admin", "=password=secret-2"], false)).toEqual(received);
});

test.each([
  [
    "login pre-6.43, success",
    (challenge: string) => challengeResponse("secret-2", Buffer.from(challenge, "hex")),
  ],
  ["login pre-6.43, failure", () => "00000000000000000000000000000000000"],
])("%s", async (name, answer) => {
  const { dialogue = [] } = named(name);
  await using router = await start({ version: "6.42.12" });
  using client = await RawClient.open(router.port("api"));
  const [[, ret = ""] = []] = await client.run("/login");
  expect(ret).toMatch(/^=ret=[0-9a-f]{32}$/);
  const response = `=response=${answer(ret.slice("=ret=".length))}`;
  expect(await client.run("/login", "=name=admin", response)).toEqual(
    dialogue.slice(3).map(([, ...words]) => words),
  );
});

test.each([
  "legacy login with a checkable challenge (empty password)",
  "legacy login, second vector (empty password)",
])("%s", async (name) => {
  const { dialogue = [] } = named(name);
  const challenge = Buffer.from(dialogue[1]?.[2]?.slice("=ret=".length) ?? "", "hex");
  await using router = await start({ version: "6.42", password: "", randomBytes: () => challenge });
  using client = await RawClient.open(router.port("api"));
  for (const [direction, ...words] of dialogue) {
    if (direction === ">") client.send(...words);
    else expect(await client.receive()).toEqual(words);
  }
});

test("7.20.8: login without =password= starts the legacy challenge; then a command", async () => {
  const { dialogue = [] } = named(
    "7.20.8: login without =password= starts the legacy challenge; then a command",
  );
  const challenge = Buffer.from(dialogue[1]?.[2]?.slice("=ret=".length) ?? "", "hex");
  await using router = await start({ version: "7.20.8", randomBytes: () => challenge });
  using client = await RawClient.open(router.port("api"));
  for (const [direction, ...words] of dialogue) {
    if (direction === ">") client.send(...words);
    else expect(await client.receive()).toEqual(words);
  }
});

test("login by a user whose group lacks api", async () => {
  const { received } = named("login by a user whose group lacks api");
  await using router = await start();
  await router.control.addRow("/user/group", { name: "noapi", policy: "read,ssh" });
  await router.control.addRow("/user", { name: "u", group: "noapi", password: "p" });
  expect(await ask(router, ["/login", "=name=u", "=password=p"], false)).toEqual(received);
});

const LIST = "/ip/firewall/address-list";

test.each([
  ["count-only", ["=count-only="]],
  ["count-only with query", ["=count-only=", "?list=developers"]],
])("%s, of a menu the emulator has", async (name, words) => {
  const { received } = named(name);
  await using router = await start();
  for (let host = 1; host <= 13; host++) {
    const list = host <= 4 ? "developers" : "others";
    await router.control.addRow(LIST, { list, address: `192.0.2.${host}` });
  }
  expect(await ask(router, [`${LIST}/print`, ...words])).toEqual(received);
});

test("print with no rows, RouterOS 7.18+, of a menu the emulator has", async () => {
  const { received } = named("print with no rows, RouterOS 7.18+");
  await using router = await start({ version: "7.18" });
  expect(await ask(router, ["/ip/firewall/filter/print"])).toEqual(received);
});

test.each(["option written as a path segment", "add with an interface that does not exist"])(
  "%s: word for word",
  async (name) => {
    const { sent, received } = named(name);
    await using router = await start();
    expect(await ask(router, sent)).toEqual(received);
  },
);

test("address an item by a non-unique name: word for word", async () => {
  const { sent, received } = named("address an item by a non-unique name");
  await using router = await start();
  for (const address of ["192.0.2.1", "192.0.2.2"]) {
    await router.control.addRow("/ip/dns/static", { name: "a.b.com", address });
  }
  expect(await ask(router, sent)).toEqual(received);
});

test("rename to a name that exists: word for word, but for the second interface's name", async () => {
  const { sent, received } = named("rename to a name that exists");
  await using router = await start();
  expect(await ask(router, [...sent.slice(0, 2), "=name=lo"])).toEqual(received);
});

test("queue simple add, duplicate name: word for word", async () => {
  const { received } = named("queue simple add, duplicate name");
  await using router = await start();
  const add = ["/queue/simple/add", "=name=q", "=target=192.0.2.1/32"];
  await ask(router, add);
  expect(await ask(router, add)).toEqual(received);
});

test("add returns new id in !done: word for word, as the third address", async () => {
  const { sent, received } = named("add returns new id in !done");
  await using router = await start();
  for (const address of ["192.0.2.1/24", "192.0.2.2/24"]) {
    await router.control.addRow("/ip/address", { address, interface: "ether1" });
  }
  expect(await ask(router, sent)).toEqual(received);
});

test("interface monitor-traffic, two interfaces: the same properties in the same order", async () => {
  const { received } = named("interface monitor-traffic, two interfaces");
  const names = (words: readonly string[] = []) => words.slice(1).map((word) => word.split("=")[1]);
  await using router = await start();
  const [row] = await ask(router, ["/interface/monitor-traffic", "=interface=ether1", "=once="]);
  // Later versions add `name` and `.section`.
  expect(names(row).filter((name) => name !== "name" && name !== ".section")).toEqual(names(received[0]));
});

test("policy missing: ping without test: word for word", async () => {
  const { sent, received } = named("policy missing: ping without test");
  await using router = await start();
  await router.control.addRow("/user/group", { name: "few", policy: "api,read" });
  await router.control.addRow("/user", { name: "r", password: "p", group: "few" });
  using client = await RawClient.login(router.port("api"), { username: "r", password: "p" });
  expect(await client.run(...sent)).toEqual(received);
});

test("policy missing: export to file (7.19.2), of a command the emulator has", async () => {
  const { received } = named("policy missing: export to file (7.19.2)");
  await using router = await start({ users: [{ name: "r", password: "p", group: "read" }] });
  using client = await RawClient.login(router.port("api"), { username: "r", password: "p" });
  expect(await client.run("/system/identity/set", "=name=x")).toEqual(untagged(received));
});

test("simultaneous commands with tags and cancel: the same replies in the same order", async () => {
  const { dialogue = [] } = named("simultaneous commands with tags and cancel");
  await using router = await start();
  await router.control.addRow("/ip/firewall/filter", { chain: "input", comment: "ether1" });
  await router.control.addRow("/ip/firewall/filter", { chain: "input", comment: "ether2" });
  using client = await RawClient.login(router.port("api"), { password: "secret-2" });
  const heads: string[] = [];
  for (const [direction, command = "", ...words] of dialogue) {
    if (direction === "<") heads.push((await client.receive()).slice(0, 2).join(" "));
    else {
      const substituted = command.replace("/interface", "/ip/firewall/filter");
      client.send(substituted, ...words.map((word) => word.replace(/^=\.id=ether/, "=.id=*")));
    }
  }
  const captured = dialogue
    .filter(([direction]) => direction === "<")
    .map(([, first, ...words]) => `${first} ${words.find((word) => word.startsWith(".tag="))}`);
  expect(heads).toEqual(captured);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../index.ts";
import { RawClient } from "../testing/raw-client.ts";

let router: Emulator;
let client: RawClient;
beforeAll(async () => {
  router = await startEmulator({ ports: { api: 0 }, listen: ["api"], version: "7.17" });
  client = await RawClient.login(router.port("api"));
});
afterAll(async () => {
  client.close();
  await router.close();
});

const attribute = (sentence: readonly string[], name: string) =>
  sentence.find((word) => word.startsWith(`=${name}=`))?.slice(name.length + 2);

/** Move the router's clock on by a second, again and again, until the command has ended. */
async function runToEnd(...words: string[]): Promise<string[][]> {
  let ended = false;
  const replies = client.run(...words).finally(() => {
    ended = true;
  });
  while (!ended) {
    await router.control.advanceClock(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return replies;
}

test("ping sends a row for each packet, counted from 0, and ends with its count", async () => {
  const replies = await runToEnd("/ping", "=address=127.0.0.1", "=count=3");
  expect(replies.map(([word]) => word)).toEqual(["!re", "!re", "!re", "!done"]);
  expect(replies.slice(0, 3).map((row) => [attribute(row, "seq"), attribute(row, ".section")])).toEqual([
    ["0", "0"],
    ["1", "1"],
    ["2", "2"],
  ]);
  expect(replies[2]).toEqual(
    expect.arrayContaining(["=host=127.0.0.1", "=sent=3", "=received=3", "=packet-loss=0"]),
  );
});

test("a host nobody made reachable times out, one made reachable answers", async () => {
  const [lost] = await runToEnd("/tool/ping", "=address=192.0.2.1", "=count=1");
  expect(lost).toEqual(expect.arrayContaining(["=status=timeout", "=packet-loss=100"]));
  expect(attribute(lost ?? [], "time")).toBeUndefined();
  router.control.setReachable("192.0.2.1");
  const [found] = await runToEnd("/tool/ping", "=address=192.0.2.1", "=count=1");
  expect(attribute(found ?? [], "time")).toBe("500us");
});

test("a ping without count continues beside other commands until it is cancelled", async () => {
  client.send("/ping", "=address=127.0.0.1", ".tag=p");
  expect(await client.receive()).toContain(".tag=p");
  client.send("/system/identity/print", ".tag=i");
  expect(await client.receive()).toEqual(["!re", ".tag=i", "=name=MikroTik"]);
  expect(await client.receive()).toEqual(["!done", ".tag=i"]);
  client.send("/cancel", "=tag=p");
  expect(await client.receive()).toEqual(["!trap", ".tag=p", "=category=2", "=message=interrupted"]);
  expect(await client.receive()).toEqual(["!done"]);
  expect(await client.receive()).toEqual(["!done", ".tag=p"]);
});

test.each([
  [["/ping"], "missing =address="],
  [["/ping", "=address=127.0.0.1", "=count=some"], "invalid value for argument count"],
  [["/ping", "=address=127.0.0.1", "=interval=1h"], "invalid value for argument interval"],
  [["/ping", "=address=127.0.0.1", "=nonsense=1"], "unknown parameter nonsense"],
  [["/ping", "=address=router.example"], "failure: the emulator does not do ping by name"],
  [["/tool/torch"], "missing =interface="],
  [["/tool/torch", "=interface=nowhere"], "input does not match any value of interface"],
  [["/tool/torch", "=interface=ether1", "=port=22"], "failure: the emulator does not do torch port"],
  [["/interface/monitor-traffic", "=interface=nowhere"], "input does not match any value of interface"],
])("%o is refused: %s", async (words, message) => {
  const [trap] = await client.run(...words);
  expect(trap).toContain(`=message=${message}`);
});

test("torch of one second shows nothing, of two the connections of the router", async () => {
  expect(await runToEnd("/tool/torch", "=interface=ether1", "=duration=1s")).toEqual([["!done"]]);
  const replies = await runToEnd("/tool/torch", "=interface=ether1", "=duration=2s");
  expect(replies).toHaveLength(2);
  expect(replies[0]).toEqual(
    expect.arrayContaining([
      "=src-address=127.0.0.1",
      "=ip-protocol=tcp",
      `=dst-port=${router.port("api")}`,
      "=.section=0",
    ]),
  );
});

test("monitor-traffic once answers a row for each interface", async () => {
  const replies = await client.run("/interface/monitor-traffic", "=interface=ether1,lo", "=once=");
  expect(replies.map(([word]) => word)).toEqual(["!re", "!re", "!done"]);
  expect(replies.slice(0, 2).map((row) => attribute(row, "name"))).toEqual(["ether1", "lo"]);
});

test("monitor-traffic counts what connections moved, section by section, until its duration", async () => {
  const replies = await runToEnd("/interface/monitor-traffic", "=interface=ether1", "=duration=2s");
  expect(replies.map((row) => attribute(row, ".section"))).toEqual(["0", "1", "2", undefined]);
  // What the first section was sent with has left the router by the second.
  expect(Number(attribute(replies[1] ?? [], "tx-bits-per-second"))).toBeGreaterThan(0);
});

test("torch needs the sniff policy, ping the test policy", async () => {
  await router.control.addRow("/user/group", { name: "few", policy: "api,read,write" });
  await router.control.addRow("/user", { name: "few", group: "few", password: "" });
  using few = await RawClient.login(router.port("api"), { username: "few" });
  expect((await few.run("/tool/torch", "=interface=ether1"))[0]).toEqual([
    "!trap",
    "=message=not enough permissions (9)",
  ]);
  expect((await few.run("/ping", "=address=127.0.0.1"))[0]).toEqual([
    "!trap",
    "=message=not enough permissions (9)",
  ]);
});

import { expect, test } from "vitest";
import { startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const LIST = "/ip/firewall/address-list";

test("listen sends a row per change until it is cancelled, in the order of a real router", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  client.send(`${LIST}/listen`, ".tag=2", "=.proplist=.id,address");
  // Commands of one connection are begun in their order: this one is answered once the listen runs.
  await client.run("/system/identity/print");
  const id = await router.control.addRow(LIST, { list: "a", address: "192.0.2.1" });
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${id}`, "=address=192.0.2.1"]);
  await router.control.setRow(LIST, id, { address: "192.0.2.2" });
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${id}`, "=address=192.0.2.2"]);
  await router.control.removeRow(LIST, id);
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${id}`, "=.dead=true"]);
  client.send("/cancel", "=tag=2", ".tag=7");
  expect(await client.receive()).toEqual(["!trap", ".tag=2", "=category=2", "=message=interrupted"]);
  expect(await client.receive()).toEqual(["!done", ".tag=7"]);
  expect(await client.receive()).toEqual(["!done", ".tag=2"]);
  await router.control.addRow(LIST, { list: "a", address: "192.0.2.3" });
  expect(await client.run("/system/identity/print", "=.proplist=name")).toEqual([
    ["!re", "=name=MikroTik"],
    ["!done"],
  ]);
});

test("cancel without a tag ends everything that runs on this connection, and nothing on another", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  using other = await RawClient.login(router.port("api"));
  other.send("/user/listen", ".tag=o");
  client.send("/user/listen", ".tag=a");
  client.send("/user/group/listen", ".tag=b");
  await other.run("/system/identity/print");
  client.send("/cancel");
  const replies = [];
  for (let count = 0; count < 5; count++) replies.push((await client.receive()).slice(0, 2).join(" "));
  expect(replies).toEqual(["!trap .tag=a", "!trap .tag=b", "!done", "!done .tag=a", "!done .tag=b"]);
  await router.control.setRow("/user", "admin", { comment: "x" });
  expect((await other.receive()).slice(0, 2)).toEqual(["!re", ".tag=o"]);
});

test("print follow begins with the rows there are, and queries pick what is sent", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  await router.control.addRow(LIST, { list: "a", address: "192.0.2.1" });
  using client = await RawClient.login(router.port("api"));
  client.send(`${LIST}/print`, "=follow=", "=.proplist=address", "?list=a");
  expect(await client.receive()).toEqual(["!re", "=address=192.0.2.1"]);
  await router.control.addRow(LIST, { list: "b", address: "192.0.2.2" });
  await router.control.addRow(LIST, { list: "a", address: "192.0.2.3" });
  expect(await client.receive()).toEqual(["!re", "=address=192.0.2.3"]);
});

test.each([
  ["7.23.2", "unknown parameter follow-only"],
  ["6.49.17", "unknown parameter"],
])("a menu of one row cannot be listened to, and %s says so", async (version, message) => {
  await using router = await startEmulator({ ports: FREE_PORTS, version });
  using client = await RawClient.login(router.port("api"));
  for (const word of ["/system/resource/listen", "/system/identity/listen", "/ip/dns/listen"]) {
    expect(await client.run(word)).toEqual([["!trap", `=message=${message}`], ["!done"]]);
  }
  // Rows, but its print takes no follow-only in the dumps of 7.22.3 and 7.24.
  if (version === "7.23.2") {
    expect((await client.run("/ip/firewall/connection/listen"))[0]?.[1]).toBe(`=message=${message}`);
  }
  const printed = await client.run("/system/identity/print", "=follow-only=");
  expect(printed[0]).toEqual(["!trap", `=message=${message}`]);
});

test("a removed row is not told to who listens with queries, and a row is once it fits them", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  const id = await router.control.addRow(LIST, { list: "a", address: "192.0.2.1" });
  const other = await router.control.addRow(LIST, { list: "b", address: "192.0.2.2" });
  using client = await RawClient.login(router.port("api"));
  client.send(`${LIST}/listen`, ".tag=2", "=.proplist=.id", "?list=a");
  await client.run("/system/identity/print");
  await router.control.removeRow(LIST, id);
  await router.control.setRow(LIST, other, { comment: "still on another list" });
  await router.control.setRow(LIST, other, { list: "a" });
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${other}`]);
});

test("a followed list is counted meanwhile, with queries and without", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  client.send(`${LIST}/listen`, ".tag=2", "=.proplist=.id");
  await client.run("/system/identity/print");
  const id = await router.control.addRow(LIST, { list: "a", address: "192.0.2.1" });
  await router.control.addRow(LIST, { list: "b", address: "192.0.2.2" });
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${id}`]);
  await client.receive();
  expect(await client.run(`${LIST}/print`, "=count-only=")).toEqual([["!done", "=ret=2"]]);
  expect(await client.run(`${LIST}/print`, "=count-only=", "?list=b")).toEqual([["!done", "=ret=1"]]);
});

test("a rule that is moved is told, and so are the rows safe mode takes back", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS, version: "7.22" });
  const filter = "/ip/firewall/filter";
  const first = await router.control.addRow(filter, { chain: "input", action: "accept" });
  const second = await router.control.addRow(filter, { chain: "input", action: "accept", comment: "x" });
  using client = await RawClient.login(router.port("api"));
  client.send(`${filter}/listen`, ".tag=2", "=.proplist=.id,comment");
  await client.run(`${filter}/move`, `=numbers=${second}`, `=destination=${first}`);
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${second}`, "=comment=x"]);
  await client.run("/safe-mode/take");
  await router.control.setRow(filter, second, { comment: "y" });
  expect(await client.receive()).toEqual(["!re", ".tag=2", `=.id=${second}`, "=comment=y"]);
  client.send("/safe-mode/unroll", ".tag=3");
  const told = [await client.receive(), await client.receive()];
  expect(told).toContainEqual(["!re", ".tag=2", `=.id=${second}`, "=comment=x"]);
  expect(told).toContainEqual(["!done", ".tag=3"]);
});

test("a test chooses which menus can be listened to, which are silent and which never rest", async () => {
  await using router = await startEmulator({
    ports: FREE_PORTS,
    listening: { "/user": "refused", "*": "silent" },
  });
  using client = await RawClient.login(router.port("api"));
  const refusal = [["!trap", "=message=unknown parameter follow-only"], ["!done"]];
  expect(await client.run("/user/listen")).toEqual(refusal);
  client.send("/user/group/listen", ".tag=silent");
  router.control.setListening("/user", "works");
  client.send("/user/listen", ".tag=works", "=.proplist=comment");
  router.control.setListening(LIST, { everyMs: 60_000 });
  await router.control.addRow(LIST, { list: "a", address: "192.0.2.1" });
  client.send(`${LIST}/listen`, ".tag=noisy", "=.proplist=list");
  // Answered once all before it run.
  await client.run("/system/identity/print");
  await router.control.setRow("/user/group", "read", { comment: "x" });
  await router.control.setRow("/user", "admin", { comment: "x" });
  expect(await client.receive()).toEqual(["!re", ".tag=works", "=comment=x"]);
  for (let minute = 0; minute < 3; minute++) {
    await router.control.advanceClock(60_000);
    expect(await client.receive()).toEqual(["!re", ".tag=noisy", "=list=a"]);
  }
});

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

test("a menu of one row cannot be listened to", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  expect((await client.run("/system/identity/print", "=follow-only="))[0]).toEqual([
    "!trap",
    "=message=unknown parameter follow-only",
  ]);
});

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmulator } from "./index.ts";
import { FREE_PORTS, RawClient } from "./testing/raw-client.ts";

let directory: string;
let stateFile: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "emulator-"));
  stateFile = join(directory, "router.json");
});
afterEach(() => rmSync(directory, { recursive: true }));

const LIST = "/ip/firewall/address-list";

test("a router started again with its file is as it was, ports, users, ids and host key included", async () => {
  const first = await startEmulator({
    stateFile,
    ports: FREE_PORTS,
    version: "7.20",
    username: "root",
    password: "pw",
    identity: "gw",
    model: "hEX",
  });
  await first.control.addRow("/ip/firewall/filter", { chain: "input", comment: "mine" });
  const removed = await first.control.addRow("/ip/firewall/filter", { chain: "input" });
  await first.control.removeRow("/ip/firewall/filter", removed);
  await first.control.setRow("/ip/service", "telnet", { disabled: "yes" });
  const menus = ["/ip/service", "/ip/firewall/filter", "/user", "/user/group", "/system/identity"];
  const before = menus.map((menu) => first.control.rows(menu));
  const hostKey = JSON.parse(readFileSync(stateFile, "utf8")).hostKey;
  await first.close();

  await using second = await startEmulator({ stateFile, identity: "ignored", password: "ignored" });
  expect(second.version).toBe("7.20");
  expect(menus.map((menu) => second.control.rows(menu))).toEqual(before);
  expect(second.control.rows("/system/routerboard")[0]?.model).toBe("hEX");
  expect(second.control.wouldAuthenticate("root", "pw", "127.0.0.1")).toBe(true);
  expect(JSON.parse(readFileSync(stateFile, "utf8")).hostKey).toBe(hostKey);
  expect(await second.control.addRow("/ip/firewall/filter", { chain: "input" })).toBe("*3");
});

test("a change is in the file before it is answered, and the file is its owner's alone", async () => {
  await using router = await startEmulator({ stateFile, ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  expect(await client.run("/system/identity/set", "=name=kept")).toEqual([["!done"]]);
  expect(readFileSync(stateFile, "utf8")).toContain('"kept"');
  expect(statSync(stateFile).mode & 0o777).toBe(0o600);
});

test("what RouterOS keeps in RAM is not in the file", async () => {
  const first = await startEmulator({ stateFile, ports: FREE_PORTS });
  await first.control.addRow(LIST, { list: "a", address: "192.0.2.1", timeout: "1d" });
  await first.control.addRow(LIST, { list: "a", address: "192.0.2.2" });
  await first.close();
  await using second = await startEmulator({ stateFile });
  expect(second.control.rows(LIST).map(({ address }) => address)).toEqual(["192.0.2.2"]);
  expect(second.control.rows("/log")).toEqual([]);
});

test("a file is of one version and can't be started as another", async () => {
  await (await startEmulator({ stateFile, ports: FREE_PORTS, version: "7.16" })).close();
  await expect(startEmulator({ stateFile, version: "7.24" })).rejects.toThrow("is of RouterOS 7.16");
});

test("a file of something else is refused, not overwritten", async () => {
  writeFileSync(stateFile, '{"format": 7}');
  await expect(startEmulator({ stateFile })).rejects.toThrow("not a state file");
  expect(readFileSync(stateFile, "utf8")).toBe('{"format": 7}');
});

test("a reboot drops every connection, forgets RAM and comes back on the same ports", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  await router.control.addRow(LIST, { list: "a", address: "192.0.2.1", timeout: "1d" });
  await router.control.reboot();
  await client.closed;
  expect(router.control.rows(LIST)).toEqual([]);
  expect(router.control.rows("/log")).toEqual([]);
  using again = await RawClient.login(router.port("api"));
  expect(await again.rows("/system/resource/print", "=.proplist=uptime")).toEqual([{ uptime: "0s" }]);
});

test.each(["close", "done"] as const)("/system/reboot answers as chosen: %s", async (rebootReply) => {
  await using router = await startEmulator({ ports: FREE_PORTS, rebootReply });
  using client = await RawClient.login(router.port("api"));
  const reply = client.run("/system/reboot");
  if (rebootReply === "done") expect(await reply).toEqual([["!done"]]);
  else await expect(reply).rejects.toThrow("connection closed");
  await client.closed;
  await expect.poll(() => RawClient.login(router.port("api")).then((again) => again.close())).toBeUndefined();
});

test("a router that is off refuses connections until it is on again", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  await router.control.powerOff();
  await expect(RawClient.open(router.port("api"))).rejects.toThrow("ECONNREFUSED");
  await router.control.powerOn();
  using client = await RawClient.login(router.port("api"));
  expect(await client.rows("/system/identity/print")).toHaveLength(1);
});

test("close drops every connection, resolves closed and may be called twice", async () => {
  const router = await startEmulator({ ports: FREE_PORTS });
  using client = await RawClient.login(router.port("api"));
  await Promise.all([router.close(), router.close()]);
  await router.closed;
  await client.closed;
  await expect(RawClient.open(router.port("api"))).rejects.toThrow("ECONNREFUSED");
});

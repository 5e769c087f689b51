import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { startEmulator } from "../index.ts";
import { menusFor } from "../menus/index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";
import { DUMPS, readDump } from "./data.ts";

async function start(version: string) {
  const router = await startEmulator({ ports: { api: 0 }, listen: ["api"], version });
  const client = await RawClient.login(router.port("api"));
  return {
    router,
    run: (...words: string[]) => client.run(...words),
    rows: (...words: string[]) => client.rows(...words),
    async [Symbol.asyncDispose]() {
      client.close();
      await router.close();
    },
  };
}

const trap = (message: string, category?: number) => [
  ["!trap", ...(category === undefined ? [] : [`=category=${category}`]), `=message=${message}`],
  ["!done"],
];

test.each(DUMPS)("every menu and configuration command of the dump of %s is there", (version) => {
  const menus = menusFor(version);
  const missing = Object.entries(readDump(version)).flatMap(([path, { commands, own = {} }]) => {
    const menu = menus.get(path === "/" ? "" : path);
    const known = new Set<string>([...(menu?.commands ?? []), ...Object.keys(menu?.own ?? {})]);
    // Menus written by hand say themselves what they lack: the README lists it.
    return [...commands, ...Object.keys(own)]
      .filter((name) => !known.has(name))
      .map((name) => `${path} ${name}`);
  });
  expect(missing.filter((name) => !HAND_WRITTEN.some((path) => name.startsWith(`${path} `)))).toEqual([]);
});

const HAND_WRITTEN = [
  "/user/active",
  "/certificate",
  "/file",
  "/system/script",
  "/system/script/environment",
  "/system/script/job",
];

test("rows of /ip/dns/static are added, changed, disabled and removed", async () => {
  await using on = await start("7.22.3");
  const [done] = await on.run("/ip/dns/static/add", "=name=a.example", "=address=192.0.2.1", "=ttl=3600");
  expect(done).toEqual(["!done", "=ret=*1"]);
  await on.run("/ip/dns/static/disable", "=.id=*1");
  const [row] = await on.rows("/ip/dns/static/print");
  expect(row).toMatchObject({
    ".id": "*1",
    name: "a.example",
    ttl: "1h",
    disabled: "true",
    dynamic: "false",
  });
  await on.run("/ip/dns/static/remove", "=numbers=a.example");
  expect(await on.rows("/ip/dns/static/print")).toEqual([]);
});

test("a menu of one row has the defaults the collection knows, and takes set without a target", async () => {
  await using on = await start("7.22.3");
  await on.run("/ip/dns/set", "=servers=192.0.2.53", "=allow-remote-requests=yes");
  expect(await on.rows("/ip/dns/print", "=.proplist=servers,allow-remote-requests,cache-size")).toEqual([
    { servers: "192.0.2.53", "allow-remote-requests": "true", "cache-size": "2048KiB" },
  ]);
});

test("refusals of schema menus are RouterOS's own", async () => {
  await using on = await start("7.22.3");
  expect(await on.run("/ip/route/add", "=nonsense=1")).toEqual(trap("unknown parameter nonsense"));
  expect(await on.run("/snmp/set", "=enabled=perhaps")).toEqual(
    trap("input does not match any value of enabled", 1),
  );
  expect(await on.run("/interface/ovpn-client/add", "=user=u")).toEqual(trap("missing =connect-to="));
  expect(await on.run("/interface/list/member/add")).toEqual(trap("missing =list="));
  expect(await on.run("/ip/dns/static/add")).toEqual(trap("failure: name or regexp required"));
  expect(await on.run("/ip/address/set", "=.id=*99", "=comment=x")).toEqual(trap("no such item", 0));
  expect(await on.run("/ppp/active/add")).toEqual(trap("no such command", 0));
  expect(await on.run("/routing/bgp/print")).toEqual([
    ["!trap", "=category=0", "=message=no such command or directory (routing)"],
    ["!trap", "=message=no such command prefix"],
    ["!done"],
  ]);
});

test("RouterOS 6 names no parameter it doesn't know, and has no WireGuard", async () => {
  await using on = await start("6.49.17");
  expect(await on.run("/snmp/set", "=nonsense=1")).toEqual(trap("unknown parameter"));
  expect((await on.run("/interface/wireguard/print"))[0]?.[1]).toBe("=category=0");
  await on.run("/queue/simple/add", "=name=q", "=target=192.0.2.0/24");
  expect((await on.rows("/queue/simple/print"))[0]).toMatchObject({ name: "q", "max-limit": "0/0" });
});

test("commands RouterOS has and the emulator hasn't are refused as such", async () => {
  await using on = await start("7.22.3");
  const [first] = await on.run("/ip/cloud/force-update");
  expect(first).toEqual(["!trap", "=message=failure: the emulator does not do /ip/cloud/force-update"]);
});

test.each([
  ["7.16.2", "is-responder", true],
  ["7.17", "is-responder", false],
  ["7.16.2", "responder", false],
  ["7.17", "responder", true],
  ["7.24", "responder", true],
])("the argument of WireGuard peers in %s: %s %s", (version, argument, expected) => {
  expect(menusFor(version).get("/interface/wireguard/peers")?.fields[argument] !== undefined).toBe(expected);
});

test.each([
  ["/ip/service/webserver", "7.20.8", false],
  ["/ip/service/webserver", "7.21", true],
  ["/certificate/builtin", "7.18.2", false],
  ["/certificate/builtin", "7.19", true],
])("the menu %s in %s: %s", (path, version, expected) => {
  expect(menusFor(version).has(path)).toBe(expected);
});

test("the OpenVPN server is one row up to 7.16 and a list from 7.17", () => {
  expect(menusFor("7.16").get("/interface/ovpn-server/server")?.singleton).toBe(true);
  expect(menusFor("7.17").get("/interface/ovpn-server/server")?.commands).toContain("add");
});

test("a WireGuard interface gets its keys, and its peers must name it", async () => {
  await using on = await start("7.22.3");
  await on.run("/interface/wireguard/add", "=name=wg");
  const [row] = await on.rows("/interface/wireguard/print");
  expect(row?.["public-key"]).toMatch(/^[\w+/]{43}=$/);
  const peer = ["=allowed-address=192.0.2.0/24", "=public-key=x"];
  expect(await on.run("/interface/wireguard/peers/add", "=interface=nowhere", ...peer)).toEqual(
    trap("input does not match any value of interface", 1),
  );
  expect(await on.run("/interface/wireguard/peers/add", "=interface=wg", ...peer)).toEqual([
    ["!done", "=ret=*1"],
  ]);
});

test("the public key of a WireGuard interface belongs to its private key", async () => {
  await using on = await start("7.22.3");
  const { d, x } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  const base64 = (text = "") => Buffer.from(text, "base64url").toString("base64");
  await on.run("/interface/wireguard/add", "=name=wg", `=private-key=${base64(d)}`);
  expect((await on.rows("/interface/wireguard/print"))[0]?.["public-key"]).toBe(base64(x));
  expect(await on.run("/interface/wireguard/add", "=name=bad", "=private-key=short")).toEqual(
    trap("invalid value for argument private-key", 1),
  );
});

test("/ip/address works out its network and refuses a second one like it", async () => {
  await using on = await start("7.22.3");
  await on.run("/ip/address/add", "=address=192.0.2.77/26", "=interface=ether1");
  expect((await on.rows("/ip/address/print"))[0]).toMatchObject({
    network: "192.0.2.64",
    "actual-interface": "ether1",
  });
  expect(await on.run("/ip/address/add", "=address=192.0.2.77/26", "=interface=ether1")).toEqual(
    trap("failure: already have such address"),
  );
});

test("what schema menus hold survives a restart, and untouched menus stay out of the file's way", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS });
  await router.control.addRow("/ppp/secret", { name: "site", password: "s" });
  await router.control.reboot();
  expect(router.control.rows("/ppp/secret")).toHaveLength(1);
  expect(router.control.rows("/ppp/profile").map((row) => row.name)).toEqual([
    "default",
    "default-encryption",
  ]);
});

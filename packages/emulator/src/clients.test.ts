/** Clients other people wrote for real routers, and our own, at work on the emulator. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { RouterClient, TrapError } from "@portreeve/routeros";
import { RouterOSClient as MikroRouterOs } from "mikro-routeros";
import { RouterOSAPI } from "node-routeros";
import { RouterOSClient } from "routeros-client";
import { describe, expect, test } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "./index.ts";
import { FREE_PORTS } from "./testing/raw-client.ts";

/** Debian's python3-librouteros belongs to Debian's interpreter. */
const PYTHON = "/usr/bin/python3";
const hasLibrouteros = (() => {
  try {
    execFileSync(PYTHON, ["-c", "import librouteros"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** Before `!empty` (7.18), which some of them don't survive where nothing is found, and after it. */
const VERSIONS = ["6.49.17", "7.17", "7.24"];
const LIST = "/ip/firewall/address-list";

const start = (version: string, options: EmulatorOptions = {}) =>
  startEmulator({ ports: FREE_PORTS, version, password: "pw", identity: "gw", ...options });

const target = (router: Emulator) => ({
  host: router.address,
  port: router.port("api"),
  user: "admin",
  password: "pw",
  timeout: 10,
});

/** The next reply to this command comes byte by byte, as TCP may bring any. */
const inPieces = (router: Emulator, command = "/system/identity/print") =>
  router.control.inject({ kind: "trickle", command, ms: 1 });

/** Has a client's sentence come? The control handle's changes are told to who listens from then on. */
const received = (router: Emulator, word: string) =>
  expect.poll(() => router.control.transcript().some(({ words }) => words[0] === word)).toBe(true);

describe("node-routeros", () => {
  test.each(VERSIONS)("prints, queries, adds, sets, removes and meets traps on %s", async (version) => {
    await using router = await start(version);
    const api = new RouterOSAPI(target(router));
    await api.connect();
    expect(await api.write("/system/identity/print")).toEqual([{ name: "gw" }]);
    const [added] = await api.write("/ip/firewall/filter/add", ["=chain=input", "=comment=a", "=dst-port=1"]);
    const id = added?.ret;
    expect(id).toMatch(/^\*[0-9A-F]+$/);
    await api.write("/ip/firewall/filter/set", [`=.id=${id}`, "=disabled=yes"]);
    await api.write("/ip/firewall/filter/add", ["=chain=input", "=comment=b"]);
    const found = await api.write(["/ip/firewall/filter/print", "?comment=a", "?disabled=true"]);
    expect(found).toMatchObject([{ ".id": id, disabled: "true", chain: "input" }]);
    const either = await api.write([
      "/ip/firewall/filter/print",
      "?comment=a",
      "?comment=b",
      "?#|",
      "=.proplist=comment",
    ]);
    expect(either).toEqual([{ comment: "a" }, { comment: "b" }]);
    expect(await api.write(["/ip/firewall/filter/print", "?-dst-port"])).toMatchObject([{ comment: "b" }]);
    await api.write("/ip/firewall/filter/remove", [`=.id=${id}`]);
    expect(router.control.rows("/ip/firewall/filter")).toMatchObject([{ comment: "b" }]);
    await expect(api.write("/user/remove", ["=.id=*FF"])).rejects.toThrow("no such item");
    await expect(api.write("/ip/nothing/print")).rejects.toThrow("no such command or directory (nothing)");
    await api.close();
  });

  test.each(VERSIONS)("listens and stops on %s, other commands beside it", async (version) => {
    await using router = await start(version);
    const api = new RouterOSAPI(target(router));
    await api.connect();
    const packets: Record<string, string>[] = [];
    const stream = api.stream(`${LIST}/listen`, (error: Error, packet?: Record<string, string>) => {
      if (!error && packet) packets.push(packet);
    });
    await received(router, `${LIST}/listen`);
    const id = await router.control.addRow(LIST, { list: "l", address: "192.0.2.1" });
    await expect.poll(() => packets).toMatchObject([{ ".id": id, address: "192.0.2.1" }]);
    expect(await api.write("/system/identity/print")).toEqual([{ name: "gw" }]);
    await router.control.removeRow(LIST, id);
    await expect.poll(() => packets.at(-1)).toEqual({ ".id": id, ".dead": "true" });
    await stream.stop();
    await api.close();
  });

  test("is refused a wrong password in the words it knows", async () => {
    await using router = await start("7.17");
    const api = new RouterOSAPI({ ...target(router), password: "wrong" });
    await expect(api.connect()).rejects.toMatchObject({ errno: "CANTLOGIN" });
  });

  test("logs in to a router before 6.43 by challenge", async () => {
    await using router = await start("6.40.9");
    const api = new RouterOSAPI(target(router));
    await api.connect();
    expect(await api.write("/system/resource/print", ["=.proplist=version"])).toEqual([
      { version: "6.40.9 (stable)" },
    ]);
    await api.close();
  });

  test("speaks api-ssl with anonymous Diffie-Hellman", async () => {
    await using router = await start("7.17");
    const tls = {
      ciphers: "ADH-AES256-GCM-SHA384:@SECLEVEL=0",
      maxVersion: "TLSv1.2",
      rejectUnauthorized: false,
    } as const;
    const api = new RouterOSAPI({ ...target(router), port: router.port("api-ssl"), tls });
    await api.connect();
    expect(await api.write("/system/identity/print")).toEqual([{ name: "gw" }]);
    await api.close();
  });

  /** It takes the end of a sentence that comes alone only with the next bytes: those of its own keep-alive. */
  test("reads a reply in pieces late, with the answer to its keep-alive", async () => {
    await using router = await start("7.17");
    const api = new RouterOSAPI({ ...target(router), timeout: 1 });
    await api.connect();
    inPieces(router);
    const asked = performance.now();
    expect(await api.write("/system/identity/print")).toEqual([{ name: "gw" }]);
    expect(performance.now() - asked).toBeGreaterThan(400);
    await api.close();
  });

  /** In a process of its own: the client throws where no caller can catch it. node-red-contrib-mikrotik#102. */
  const PRINT_NOTHING = `
    const { RouterOSAPI } = require("node-routeros");
    const api = new RouterOSAPI({ host: process.argv[1], port: Number(process.argv[2]), user: "admin", password: "pw" });
    api.connect().then(() => api.write("${LIST}/print")).then((rows) => {
      console.log(JSON.stringify(rows));
      api.close();
    });`;
  test.each([
    ["7.17", "[]"],
    ["7.18", "Tried to process unknown reply: !empty"],
  ])("says to a print without rows on %s: %s", async (version, said) => {
    await using router = await start(version);
    const child = spawn(process.execPath, ["-e", PRINT_NOTHING, router.address, String(router.port("api"))], {
      cwd: import.meta.dirname,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    await once(child, "close");
    expect(output).toContain(said);
  });
});

describe("routeros-client", () => {
  test.each(VERSIONS)(
    "finds, adds, updates and removes rows, and meets a trap on %s",
    async (version) => {
      await using router = await start(version);
      const client = new RouterOSClient(target(router));
      const api = await client.connect();
      const list = () => api.menu("/ip firewall address-list");
      const added = await list().add({ list: "rc", address: "192.0.2.7" });
      expect(added).toMatchObject({ list: "rc", address: "192.0.2.7", disabled: false });
      await list().add({ list: "other", address: "192.0.2.8" });
      await list().where("list", "rc").update({ comment: "seen" });
      expect(await list().where({ list: "rc" }).getOne()).toMatchObject({ comment: "seen" });
      expect(await list().whereNot("list", "rc").get()).toMatchObject([{ address: "192.0.2.8" }]);
      expect(await list().whereExists("comment").only(["address"]).get()).toMatchObject([
        { address: "192.0.2.7" },
      ]);
      expect(await list().whereHigher("list", "p").only(["list"]).get()).toMatchObject([{ list: "rc" }]);
      await list().where("list", "rc").remove();
      expect(router.control.rows(LIST)).toMatchObject([{ list: "other" }]);
      await expect(api.menu("/user").add({ name: "x", group: "none", password: "p" })).rejects.toMatchObject({
        message: "input does not match any value of group",
      });
      await client.close();
    },
    20_000,
  );

  test.each(VERSIONS)("listens on %s", async (version) => {
    await using router = await start(version);
    const client = new RouterOSClient(target(router));
    const api = await client.connect();
    const packets: Record<string, unknown>[] = [];
    const stream = api.menu("/ip firewall address-list").stream("listen", (error, packet) => {
      if (!error && packet) packets.push(packet);
    });
    await received(router, `${LIST}/listen`);
    await router.control.addRow(LIST, { list: "l", address: "192.0.2.1" });
    await expect.poll(() => packets).toMatchObject([{ list: "l", address: "192.0.2.1", disabled: false }]);
    await stream.stop();
    await client.close();
  });
});

describe("mikro-routeros", () => {
  test.each(VERSIONS)("prints, queries, adds, sets, removes and meets a trap on %s", async (version) => {
    await using router = await start(version);
    const client = new MikroRouterOs(router.address, router.port("api"), 10_000);
    await client.connect();
    await client.login("admin", "pw");
    expect(await client.runQuery(`${LIST}/print`)).toEqual([]);
    await client.runQuery(`${LIST}/add`, { list: "m", address: "192.0.2.7" });
    await client.runQuery(`${LIST}/add`, { list: "n", address: "192.0.2.8" });
    const [row] = await client.runQuery(`${LIST}/print`, { list: "m" });
    expect(row).toMatchObject({ list: "m", address: "192.0.2.7" });
    await client.runQuery(`${LIST}/set`, { ".id": row[".id"], comment: "a=b" });
    expect(await client.runQuery(`${LIST}/print`, { comment: "a=b" })).toMatchObject([{ list: "m" }]);
    await client.runQuery(`${LIST}/remove`, { ".id": row[".id"] });
    expect(router.control.rows(LIST)).toMatchObject([{ list: "n" }]);
    await expect(client.runQuery("/user/remove", { ".id": "*FF" })).rejects.toThrow(
      "RouterOS Error: no such item",
    );
    client.close();
  });

  test("is refused a wrong password", async () => {
    await using router = await start("7.24");
    const client = new MikroRouterOs(router.address, router.port("api"), 10_000);
    await client.connect();
    await expect(client.login("admin", "wrong")).rejects.toThrow("invalid user name or password (6)");
    client.close();
  });

  test("takes a challenge for a login before 6.43, and is thrown out with its first command", async () => {
    await using router = await start("6.40.9");
    const client = new MikroRouterOs(router.address, router.port("api"), 10_000);
    await client.connect();
    await client.login("admin", "pw");
    await expect(client.runQuery("/system/identity/print")).rejects.toThrow();
  });

  test("loses words of a sentence that comes in pieces, which TCP may do to any", async () => {
    await using router = await start("7.24");
    const client = new MikroRouterOs(router.address, router.port("api"), 10_000);
    await client.connect();
    await client.login("admin", "pw");
    inPieces(router);
    expect(await client.runQuery("/system/identity/print")).not.toEqual([{ name: "gw" }]);
    client.close();
  });
});

const SCRIPT = `
import sys
from librouteros import connect
from librouteros.exceptions import MultiTrapError, TrapError
from librouteros.login import plain, token
from librouteros.query import And, Key, Or
method = token if sys.argv[3] == "token" else plain
api = connect(host=sys.argv[1], port=int(sys.argv[2]), username="admin", password="pw", login_method=method)
print(list(api("/system/identity/print")))
lists = api.path("ip", "firewall", "address-list")
print(list(lists))
first = lists.add(list="py", address="192.0.2.7")
second = lists.add(list="py", address="192.0.2.8", disabled=True)
lists.update(**{".id": first, "comment": "made by librouteros"})
address, name, disabled = Key("address"), Key("list"), Key("disabled")
print([row["address"] for row in lists.select(address).where(name == "py", disabled == True)])
print([row["address"] for row in lists.select(address).where(Or(address == "192.0.2.7", address == "192.0.2.8"))])
print([row["address"] for row in lists.select(address).where(And(name == "py", Key("comment") != "other"))])
print([row["address"] for row in lists.select(address).where(name > "pz")])
print([row["address"] for row in lists.select(address).where(address.In("192.0.2.8", "192.0.2.9"))])
lists.remove(first, second)
try:
    api.path("user").add(name="py", group="nogroup", password="p")
except TrapError as error:
    print(error.message, error.category)
try:
    list(api.path("nothing", "at", "all"))
except MultiTrapError as error:
    print(error)
print(len(list(api("/ping", address="127.0.0.1", count=2))))
api.close()
`;

describe("librouteros (Python)", () => {
  test.skipIf(!hasLibrouteros).each(["6.40.9", ...VERSIONS])(
    "prints, queries, adds, updates, removes and meets traps on %s",
    async (version) => {
      await using router = await start(version);
      inPieces(router);
      const login = version === "6.40.9" ? "token" : "plain";
      const child = spawn(PYTHON, ["-c", SCRIPT, router.address, String(router.port("api")), login]);
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      await once(child, "close");
      expect(output.trim().split("\n")).toEqual([
        "[{'name': 'gw'}]",
        "[]",
        "['192.0.2.8']",
        "['192.0.2.7', '192.0.2.8']",
        "['192.0.2.7', '192.0.2.8']",
        "[]",
        "['192.0.2.8']",
        "input does not match any value of group 1",
        "no such command or directory (nothing), no such command prefix",
        "2",
      ]);
      expect(router.control.rows(LIST)).toEqual([]);
    },
  );
});

describe("@portreeve/routeros", () => {
  test.each(["6.49.17", "7.9", "7.16", "7.18", "7.20.8", "7.22.3", "7.24"])(
    "meets RouterOS %s",
    async (version) => {
      await using router = await start(version);
      await using client = await RouterClient.connect({
        host: router.address,
        port: router.port("api"),
        username: "admin",
        password: "pw",
      });
      const menu = "/ip/firewall/filter";
      inPieces(router, `${menu}/print`);
      expect(await client.print(menu)).toEqual([]);
      const id = await client.add(menu, { chain: "input", comment: "ours" });
      await client.set(menu, id, { disabled: "yes" });
      expect(await client.print(menu, { queries: ["?comment=ours"] })).toMatchObject([
        { ".id": id, disabled: "true" },
      ]);
      expect(await client.count(menu)).toBe(1);
      const heard = client.listen(LIST)[Symbol.asyncIterator]();
      const next = heard.next();
      await received(router, `${LIST}/listen`);
      await router.control.addRow(LIST, { list: "l", address: "192.0.2.1" });
      expect((await next).value).toMatchObject({ list: "l" });
      await heard.return?.();
      await client.remove(menu, id);
      await expect(client.print("/ip/nothing")).rejects.toThrow(TrapError);
      expect(await client.print("/system/identity")).toEqual([{ name: "gw" }]);
    },
  );
});

/** Clients other people wrote for real routers, and our own, at work on the emulator. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { RouterClient, TrapError } from "@portreeve/routeros";
import { RouterOSAPI } from "node-routeros";
import { RouterOSClient } from "routeros-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "./index.ts";
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

// These clients are older than !empty (7.18), which some of them don't survive.
let router: Emulator;
const login = { user: "admin", password: "pw" };
beforeAll(async () => {
  router = await startEmulator({ ports: FREE_PORTS, version: "7.17", password: "pw", identity: "gw" });
});
afterAll(() => router.close());

const target = () => ({ host: router.address, port: router.port("api"), ...login });

test("node-routeros prints, adds, changes, meets a trap and closes", async () => {
  const api = new RouterOSAPI({ ...target(), timeout: 10 });
  await api.connect();
  expect(await api.write("/system/identity/print")).toEqual([{ name: "gw" }]);
  const [added] = await api.write("/ip/firewall/filter/add", ["=chain=input", "=comment=node-routeros"]);
  const id = added?.ret;
  expect(id).toMatch(/^\*[0-9A-F]+$/);
  await api.write("/ip/firewall/filter/set", [`=.id=${id}`, "=disabled=yes"]);
  const rules = await api.write(["/ip/firewall/filter/print", "?comment=node-routeros"]);
  expect(rules).toMatchObject([{ ".id": id, disabled: "true", chain: "input" }]);
  await expect(api.write("/user/remove", ["=.id=*FF"])).rejects.toThrow("no such item");
  await api.close();
});

test("node-routeros is refused a wrong password in the words it knows", async () => {
  const api = new RouterOSAPI({ ...target(), password: "wrong", timeout: 10 });
  await expect(api.connect()).rejects.toMatchObject({ errno: "CANTLOGIN" });
});

test("node-routeros logs in to a router before 6.43 by challenge", async () => {
  await using old = await startEmulator({ ports: FREE_PORTS, version: "6.40.9", password: "pw" });
  const api = new RouterOSAPI({ ...target(), port: old.port("api"), timeout: 10 });
  await api.connect();
  expect(await api.write("/system/resource/print", ["=.proplist=version"])).toEqual([
    { version: "6.40.9 (stable)" },
  ]);
  await api.close();
});

test("node-routeros speaks api-ssl with anonymous Diffie-Hellman", async () => {
  const tls = {
    ciphers: "ADH-AES256-GCM-SHA384:@SECLEVEL=0",
    maxVersion: "TLSv1.2",
    rejectUnauthorized: false,
  } as const;
  const api = new RouterOSAPI({ ...target(), port: router.port("api-ssl"), tls, timeout: 10 });
  await api.connect();
  expect(await api.write("/system/identity/print")).toEqual([{ name: "gw" }]);
  await api.close();
});

test("routeros-client finds, adds, updates and removes rows of a menu", async () => {
  const client = new RouterOSClient({ ...target(), timeout: 10 });
  const api = await client.connect();
  const list = api.menu("/ip firewall address-list");
  const added = await list.add({ list: "rc", address: "192.0.2.7" });
  expect(added).toMatchObject({ list: "rc", address: "192.0.2.7", disabled: false });
  await list.where("list", "rc").update({ comment: "seen" });
  expect(await list.where({ list: "rc" }).getOne()).toMatchObject({ comment: "seen" });
  await list.where("list", "rc").remove();
  expect(await list.where("list", "rc").get()).toEqual([]);
  await client.close();
});

const SCRIPT = `
import sys
from librouteros import connect
from librouteros.exceptions import TrapError
api = connect(host=sys.argv[1], port=int(sys.argv[2]), username="admin", password="pw")
print(list(api("/system/identity/print")))
users = api.path("user")
id = users.add(name="py", group="read", password="p")
users.update(**{".id": id, "comment": "made by librouteros"})
print([(row["name"], row["comment"], row["disabled"]) for row in users if row["name"] == "py"])
users.remove(id)
try:
    users.add(name="py", group="nogroup", password="p")
except TrapError as error:
    print(error.message, error.category)
api.close()
`;

test.skipIf(!hasLibrouteros)(
  "librouteros (Python) prints, adds, updates, removes and meets a trap",
  async () => {
    const child = spawn(PYTHON, ["-c", SCRIPT, router.address, String(router.port("api"))]);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    await once(child, "close");
    expect(output.trim().split("\n")).toEqual([
      "[{'name': 'gw'}]",
      "[('py', 'made by librouteros', False)]",
      "input does not match any value of group 1",
    ]);
  },
);

test("our client meets every version, !empty included", async () => {
  for (const version of ["6.49.17", "7.9", "7.16", "7.18", "7.20.8", "7.22.3", "7.24"]) {
    await using emulated = await startEmulator({ ports: FREE_PORTS, version, password: "pw" });
    await using client = await RouterClient.connect({
      host: emulated.address,
      port: emulated.port("api"),
      username: "admin",
      password: "pw",
    });
    expect(await client.print("/ip/firewall/filter")).toEqual([]);
    const id = await client.add("/ip/firewall/filter", { chain: "input", comment: "ours" });
    await client.set("/ip/firewall/filter", id, { disabled: "yes" });
    expect(await client.print("/ip/firewall/filter", { queries: ["?comment=ours"] })).toMatchObject([
      { ".id": id, disabled: "true" },
    ]);
    expect(await client.count("/ip/firewall/filter")).toBe(1);
    await client.remove("/ip/firewall/filter", id);
    await expect(client.print("/ip/nothing")).rejects.toThrow(TrapError);
    expect(await client.print("/system/identity")).toEqual([{ name: "MikroTik" }]);
  }
});

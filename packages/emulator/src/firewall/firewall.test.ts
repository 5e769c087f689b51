import { once } from "node:events";
import { connect } from "node:net";
import ssh2 from "ssh2";
import { expect, test } from "vitest";
import { type Emulator, startEmulator } from "../index.ts";
import { FREE_PORTS, RawClient } from "../testing/raw-client.ts";

const FILTER = "/ip/firewall/filter";
const LIST = "/ip/firewall/address-list";

type Rule = Record<string, string>;

async function start(...rules: Rule[]): Promise<Emulator> {
  const router = await startEmulator({ ports: FREE_PORTS });
  for (const rule of rules) await router.control.addRow(FILTER, { chain: "input", ...rule });
  return router;
}

/** Can somebody at this address log in? Answers how the router met them. */
async function meets(router: Emulator, localAddress: string): Promise<"answered" | "silence" | "reset"> {
  const client = connect({ port: router.port("api"), host: "127.0.0.1", localAddress });
  const seen = router.control.peers("api").length;
  const outcome = await new Promise<"answered" | "silence" | "reset">((resolve) => {
    client.once("data", () => resolve("answered"));
    client.once("error", () => resolve("reset"));
    client.write(Buffer.from([6, ...Buffer.from("/login"), 0]));
    // The router has looked at the connection and at what was sent, and says nothing.
    const waitForPeer = () => {
      const peer = router.control.peers("api")[seen];
      if (peer && !peer.admitted && peer.bytesReceived === 8 && peer.open) resolve("silence");
      else if (!client.destroyed) setImmediate(waitForPeer);
    };
    waitForPeer();
  });
  client.destroy();
  return outcome;
}

const counters = (router: Emulator) => router.control.rows(FILTER).map((row) => Number(row.packets));

test("without rules everybody connects", async () => {
  await using router = await start();
  expect(await meets(router, "127.0.0.2")).toBe("answered");
});

test("drop leaves the client without a byte, reject resets it, tarpit holds it", async () => {
  await using router = await start(
    { action: "drop", "src-address": "127.0.0.2" },
    { action: "reject", "src-address": "127.0.0.3", protocol: "tcp", "reject-with": "tcp-reset" },
    { action: "tarpit", "src-address": "127.0.0.4", protocol: "tcp" },
  );
  expect(await meets(router, "127.0.0.1")).toBe("answered");
  expect(await meets(router, "127.0.0.2")).toBe("silence");
  expect(await meets(router, "127.0.0.3")).toBe("reset");
  expect(await meets(router, "127.0.0.4")).toBe("silence");
});

test("rules are tried in their order, a disabled one not at all, other chains never", async () => {
  await using router = await start(
    { action: "drop", chain: "forward" },
    { action: "drop", disabled: "yes" },
    { action: "accept", "src-address": "127.0.0.1" },
    { action: "drop" },
  );
  expect(await meets(router, "127.0.0.1")).toBe("answered");
  expect(await meets(router, "127.0.0.2")).toBe("silence");
  const [, , , drop] = router.control.rows(FILTER);
  using admin = await RawClient.login(router.port("api"));
  const [accept] = (await admin.rows(`${FILTER}/print`, "?action=accept")).map((row) => row[".id"]);
  await admin.run(`${FILTER}/move`, `=.id=${drop?.[".id"]}`, `=destination=${accept}`);
  expect(await meets(router, "127.0.0.1")).toBe("silence");
});

test("a management list in front of a drop lets in who is on it, timed entries for their time", async () => {
  await using router = await start(
    { action: "accept", "src-address-list": "mgmt", "dst-port": "8728", disabled: "yes" },
    { action: "accept", "src-address-list": "mgmt" },
    { action: "drop" },
  );
  await router.control.addRow(LIST, { list: "mgmt", address: "127.0.0.2", timeout: "1m" });
  await router.control.addRow(LIST, { list: "mgmt", address: "127.0.0.8-127.0.0.11" });
  await router.control.addRow(LIST, { list: "mgmt", address: "127.0.0.12", disabled: "yes" });
  expect(await meets(router, "127.0.0.2")).toBe("answered");
  expect(await meets(router, "127.0.0.9")).toBe("answered");
  expect(await meets(router, "127.0.0.12")).toBe("silence");
  router.control.advanceClock(61_000);
  expect(await meets(router, "127.0.0.2")).toBe("silence");
});

test("jump goes through a chain of one's own, return comes back, passthrough continues", async () => {
  await using router = await start(
    { action: "passthrough" },
    { action: "jump", "jump-target": "portreeve" },
    { chain: "portreeve", action: "return", "src-address": "127.0.0.2" },
    { chain: "portreeve", action: "accept", "src-address": "127.0.0.3" },
    { action: "accept", "src-address": "127.0.0.2" },
    { action: "drop" },
  );
  expect(await meets(router, "127.0.0.2")).toBe("answered");
  expect(await meets(router, "127.0.0.3")).toBe("answered");
  expect(await meets(router, "127.0.0.4")).toBe("silence");
});

test("chains that jump in a circle end", async () => {
  await using router = await start(
    { action: "jump", "jump-target": "a" },
    { chain: "a", action: "jump", "jump-target": "a" },
  );
  expect(await meets(router, "127.0.0.2")).toBe("answered");
});

test("the service's own address list is asked after the firewall", async () => {
  await using router = await start({ action: "drop", "src-address": "127.0.0.2" });
  await router.control.setRow("/ip/service", "api", { address: "127.0.0.1/32" });
  expect(await meets(router, "127.0.0.2")).toBe("silence");
  const refused = connect({ port: router.port("api"), host: "127.0.0.1", localAddress: "127.0.0.3" });
  refused.resume();
  await once(refused, "close");
  expect(refused.bytesRead).toBe(0);
});

test("brute-force stages in MikroTik's order ban at the third connection, and each one renews the time", async () => {
  const add = { action: "add-src-to-address-list", "connection-state": "new" };
  await using router = await start(
    { action: "drop", "src-address-list": "blacklist" },
    { ...add, "src-address-list": "stage2", "address-list": "blacklist", "address-list-timeout": "1d" },
    { ...add, "src-address-list": "stage1", "address-list": "stage2", "address-list-timeout": "1m" },
    { ...add, "address-list": "stage1", "address-list-timeout": "1m" },
  );
  expect(await meets(router, "127.0.0.2")).toBe("answered");
  expect(await meets(router, "127.0.0.2")).toBe("answered");
  router.control.advanceClock(50_000);
  // The third connection lists itself; its first packet goes through, the next one is dropped.
  using third = await RawClient.open(router.port("api"), "127.0.0.2");
  await expect.poll(() => router.control.rows(LIST).map((row) => row.list)).toContain("blacklist");
  expect(router.control.rows(LIST).map(({ list, dynamic, timeout }) => [list, dynamic, timeout])).toEqual([
    ["stage1", "true", "1m"],
    ["stage2", "true", "1m"],
    ["blacklist", "true", "1d"],
  ]);
  expect(await meets(router, "127.0.0.2")).toBe("silence");
  expect(third.socket.destroyed).toBe(false);
  await router.control.reboot();
  expect(router.control.rows(LIST)).toEqual([]);
});

test("none-static keeps what the firewall lists, none-dynamic loses it at a reboot", async () => {
  const add = { action: "add-src-to-address-list", "address-list": "seen" };
  await using router = await start(
    { ...add, "src-address": "127.0.0.2", "address-list-timeout": "none-static" },
    { ...add, "src-address": "127.0.0.3" },
  );
  await meets(router, "127.0.0.2");
  await meets(router, "127.0.0.3");
  expect(router.control.rows(LIST).map((row) => row.address)).toEqual(["127.0.0.2", "127.0.0.3"]);
  await router.control.reboot();
  expect(router.control.rows(LIST).map((row) => row.address)).toEqual(["127.0.0.2"]);
});

test("a rule counts what it matched, and counters can be reset", async () => {
  await using router = await start({ action: "drop", "src-address": "127.0.0.2" }, { action: "passthrough" });
  await meets(router, "127.0.0.2");
  await meets(router, "127.0.0.2");
  expect(counters(router)).toEqual([2, 0]);
  expect(router.control.rows(FILTER)[0]?.bytes).toBe("120");
  using admin = await RawClient.login(router.port("api"));
  expect(counters(router)[1]).toBeGreaterThan(0);
  await admin.run(`${FILTER}/reset-counters`, `=.id=${router.control.rows(FILTER)[0]?.[".id"]}`);
  expect(counters(router)[0]).toBe(0);
  await admin.run(`${FILTER}/reset-counters-all`);
  expect(counters(router)).toEqual([0, 0]);
});

test("a rule with log=yes writes who came", async () => {
  await using router = await start({
    action: "drop",
    "src-address": "127.0.0.2",
    log: "yes",
    "log-prefix": "no",
  });
  await meets(router, "127.0.0.2");
  const [line] = router.control.rows("/log").filter((row) => row.topics === "firewall,info");
  expect(line?.message).toMatch(
    /^no input: .*proto TCP \(SYN\), 127\.0\.0\.2:\d+->127\.0\.0\.1:\d+, len 60$/,
  );
});

test.each(["api", "api-ssl"] as const)(
  "a drop without connection-state stops an open %s session",
  async (service) => {
    await using router = await start();
    using admin = await RawClient.login(router.port("api"));
    const tls = service === "api-ssl";
    using client = tls
      ? await RawClient.loginTls(router.port("api-ssl"), { localAddress: "127.0.0.2" })
      : await RawClient.login(router.port("api"), { localAddress: "127.0.0.2" });
    const id = await router.control.addRow(FILTER, {
      chain: "input",
      action: "drop",
      "src-address": "127.0.0.2",
    });
    client.send("/system/identity/print");
    // The router continues with others meanwhile, and what was sent is there once the rule has gone.
    await admin.run("/system/identity/set", "=name=renamed");
    await router.control.removeRow(FILTER, id);
    expect(await client.receive()).toEqual(["!re", "=name=renamed"]);
  },
);

test("an open SSH session is stopped by a drop too, and continues once the rule has gone", async () => {
  await using router = await start();
  const client = new ssh2.Client();
  client.connect({ host: "127.0.0.1", port: router.port("ssh"), username: "admin", password: "" });
  await once(client, "ready");
  const rule = { chain: "input", action: "drop", "dst-port": String(router.port("ssh")) };
  const id = await router.control.addRow(FILTER, rule);
  let output = "";
  const ended = new Promise<void>((resolve, reject) => {
    client.exec("/system identity print", (error, channel) => {
      if (error) return reject(error);
      channel.on("data", (text: Buffer) => {
        output += text;
      });
      channel.once("close", () => resolve());
    });
  });
  // Time for the command to arrive, had it been let through: another connection's exchange.
  using admin = await RawClient.login(router.port("api"));
  await admin.rows("/system/identity/print");
  expect(output).toBe("");
  await router.control.removeRow(FILTER, id);
  await ended;
  expect(output).toContain("MikroTik");
  // The router may close first, and unread bytes of it make that a reset.
  client.on("error", () => undefined);
  const closed = once(client, "close");
  client.end();
  await closed;
});

test("a drop of new connections alone lets open sessions continue", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"), { localAddress: "127.0.0.2" });
  await router.control.addRow(FILTER, { chain: "input", action: "drop", "connection-state": "new" });
  expect(await client.rows("/system/identity/print")).toEqual([{ name: "MikroTik" }]);
  expect(await meets(router, "127.0.0.3")).toBe("silence");
});

test("a reject without connection-state resets an open session", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"), { localAddress: "127.0.0.2" });
  await router.control.addRow(FILTER, { chain: "input", action: "reject", "src-address": "127.0.0.2" });
  await client.closed;
});

test("a rule for new connections only lets nothing follow the handshake", async () => {
  await using router = await start({ action: "accept", "connection-state": "new" }, { action: "drop" });
  using client = await RawClient.open(router.port("api"), "127.0.0.2");
  client.send("/login", "=name=admin", "=password=");
  await expect.poll(() => counters(router)).toEqual([1, 1]);
  expect(router.control.sessions()).toEqual([]);
});

test("IPv6 connections are decided by /ipv6/firewall alone", async () => {
  await using router = await startEmulator({ ports: FREE_PORTS, address: "::1" });
  await router.control.addRow(FILTER, { chain: "input", action: "drop" });
  await router.control.addRow("/ipv6/firewall/address-list", { list: "mgmt", address: "::1" });
  const accept = { chain: "input", action: "accept", "src-address-list": "mgmt" };
  const id = await router.control.addRow("/ipv6/firewall/filter", accept);
  await router.control.addRow("/ipv6/firewall/filter", { chain: "input", action: "drop" });
  const login = async () => {
    const client = await RawClient.open(router.port("api"), "::1", "::1");
    client.send("/login", "=name=admin", "=password=");
    return client;
  };
  using admitted = await login();
  expect(await admitted.receive()).toEqual(["!done"]);
  await router.control.setRow("/ipv6/firewall/filter", id, { "src-address-list": "other" });
  using dropped = await login();
  await expect.poll(() => router.control.peers("api").at(-1)?.bytesReceived).toBeGreaterThan(0);
  expect(dropped.socket.bytesRead).toBe(0);
});

test("a cut link carries nothing either way, and loses nothing", async () => {
  await using router = await start();
  using client = await RawClient.login(router.port("api"));
  using listener = await RawClient.login(router.port("api"));
  listener.send("/system/identity/listen");
  await listener.rows("/user/print");
  router.control.cutLink();
  client.send("/system/identity/set", "=name=after");
  await router.control.setRow("/system/identity", undefined, { name: "during" });
  using late = await RawClient.open(router.port("api"));
  late.send("/login", "=name=admin", "=password=");
  await expect.poll(() => router.control.rows("/system/identity")[0]?.name).toBe("during");
  expect(router.control.sessions()).toHaveLength(2);
  router.control.restoreLink();
  expect(await client.receive()).toEqual(["!done"]);
  expect(await late.receive()).toEqual(["!done"]);
  expect(router.control.rows("/system/identity")[0]?.name).toBe("after");
});

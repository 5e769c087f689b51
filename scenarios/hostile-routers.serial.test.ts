/** Routers that lie, hang and flood: each gets a sync state with the reason, and the others work as if alone. */
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Site } from "@portreeve/api-schema";
import { encodeSentence } from "@portreeve/routeros";
import { expect } from "vitest";
import {
  ADMIN,
  createPolicy,
  expectInSync,
  expectStatus,
  listen,
  policyOf,
  readSite,
  startManagedRouter,
  startRouter,
  waitFor,
} from "./harness/index.ts";
import { processScenario } from "./harness/scenario.ts";
import type { ServerProcess } from "./harness/server-process.ts";

/** A router gets this long for everything; its site has a reason by then, milliseconds. */
const JUDGED_WITHIN_MS = 40_000;
/** What hostile routers may make the server hold, all together. */
const HELD_BYTES = 200 * 1024 * 1024;

// A process of its own, so that its memory can be told from that of the routers.
const test = processScenario
  .override("env", { PORTREEVE_RECONCILE_SECONDS: "5" })
  .extend("bystander", { scope: "file" }, async ({ server }, { onCleanup }) => {
    const managed = await startManagedRouter(server, { identity: "bystander" });
    onCleanup(() => managed.router.close());
    return managed;
  });

/** The site is not in sync, and says why. */
async function expectEvaluated(server: ServerProcess, site: Site): Promise<Site["sync"]> {
  const evaluated = async () => {
    const { sync } = await readSite(server.api, site.id);
    return sync.reason !== null && sync;
  };
  const sync = await waitFor(evaluated, { within: JUDGED_WITHIN_MS, what: `a reason for ${site.name}` });
  expect(["failed", "pending", "needs_attention"]).toContain(sync.state);
  expect(sync.reason).toMatch(/^[\x20-\x7e]{10,500}$/);
  return sync;
}

const forever = (socket: Socket, bytes: Uint8Array) => {
  const go = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on("drain", go);
  go();
};

const HOSTILE: Record<string, (socket: Socket) => void> = {
  "answers garbage": (socket) => socket.end(Buffer.from("ff00fe01fd", "hex")),
  "is a web server": (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n<html></html>"),
  "is an SSH server": (socket) => socket.write("SSH-2.0-ROSSSH\r\n"),
  "never answers": () => undefined,
  "closes at once": (socket) => socket.end(),
  "resets at once": (socket) => socket.resetAndDestroy(),
  "announces a word of 4 GiB": (socket) =>
    forever(socket, Buffer.concat([Buffer.from("f0ffffffff", "hex"), Buffer.alloc(65_536, "a")])),
  "sends rows without end": (socket) => forever(socket, encodeSentence(["!re", `=a=${"x".repeat(1000)}`])),
  "sends empty words without end": (socket) => forever(socket, Buffer.alloc(65_536)),
  "sends one endless sentence": (socket) => forever(socket, Buffer.from("\x03abc")),
  "sends one byte a second": (socket) => {
    const timer = setInterval(() => socket.write("\x05"), 1000);
    socket.once("close", () => clearInterval(timer));
  },
  "lets anybody in and then says nothing": (socket) => {
    socket.once("data", () => socket.write(encodeSentence(["!done"])));
  },
  "asks for the old login": (socket) => {
    socket.on("data", () => socket.write(encodeSentence(["!done", `=ret=${"0".repeat(32)}`])));
  },
  "answers terminal codes and markup": (socket) => {
    socket.once("data", () =>
      socket.end(encodeSentence(["!fatal", '\x1b[31m<img src=x onerror="alert(1)">\r\n\0'])),
    );
  },
};

test("every hostile router is evaluated with a reason while the others are changed as if it were not there", async ({
  server,
  bystander,
}) => {
  await using closing = new AsyncDisposableStack();
  const before = await residentBytes(server.pid, "VmRSS");
  const sites: Site[] = [];
  for (const [name, onConnection] of Object.entries(HOSTILE)) {
    const address = server.net.address();
    const { port } = closing.use(await listen(address, onConnection));
    const body = { name, address, api_port: port, ...ADMIN };
    sites.push(expectStatus(await server.api.post("/v1/sites", body), 201));
  }
  const silent = server.net.address();
  sites.push(
    expectStatus(
      await server.api.post("/v1/sites", { name: "is not there", address: silent, ...ADMIN }),
      201,
    ),
  );
  const all = Promise.all(sites.map((site) => expectEvaluated(server, site)));
  all.catch(() => undefined);
  const policy = await createPolicy(server.api);
  const path = `/v1/control-plane/policies/${policy.id}`;
  expectStatus(await server.api.put(`${path}/sites`, { sites: [bystander.site.id] }), 200);
  for (let port = 8292; port < 8295; port++) {
    expectStatus(await server.api.put(path, policyOf({ winbox: { port } })), 200);
    await waitFor(() => bystander.router.port("winbox") === port, { what: "the bystander's port" });
    await expectInSync(server.api, bystander.site.id);
  }
  // Nothing blocked: the router that floods has been cut off, and the one that never answers is still being waited for.
  for (const { id, name } of sites) {
    const { sync } = await readSite(server.api, id);
    if (/without end|endless|4 GiB/.test(name)) expect([name, sync.reason]).not.toEqual([name, null]);
    if (name === "never answers") expect(sync.reason).toBeNull();
  }
  const evaluated = await all;
  const of = (name: string) => evaluated[sites.findIndex((site) => site.name === name)];
  for (const name of ["is not there", "never answers", "closes at once", "resets at once"]) {
    expect([name, of(name)?.state]).toEqual([name, "pending"]);
  }
  expect((await residentBytes(server.pid, "VmHWM")) - before).toBeLessThan(HELD_BYTES);
  await expectInSync(server.api, bystander.site.id);
  // Nothing was lost: the site of a router that turns out to be elsewhere is adopted as soon as its address is right.
  await using router = closing.use(await startRouter(server.net));
  const [moved] = sites;
  const change = { address: router.address, api_port: router.port("api") };
  expectStatus(await server.api.patch(`/v1/sites/${moved?.id}`, change), 200);
  await expectInSync(server.api, moved?.id ?? "");
}, 90_000);

/** Resident memory of a process, now or at its highest. Source: Linux, proc_pid_status(5). */
async function residentBytes(pid: number, which: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${which}:\\s*(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
}

test("a router that goes wrong after it was adopted is evaluated, and back in sync once it behaves", async ({
  server,
  bystander,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const faults = [
    { kind: "garbage" },
    { kind: "flood" },
    { kind: "cut", bytes: 3 },
    { kind: "trap", message: "\x1b[2Jno <b>such</b> thing" },
    { kind: "refuse" },
  ] as const;
  for (const fault of faults) {
    router.control.inject({ ...fault, ...(fault.kind === "refuse" ? {} : { command: "/ip/service/print" }) });
    if (fault.kind === "refuse") await router.control.reboot();
    expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
    await expectEvaluated(server, managed.site);
    await expectInSync(server.api, bystander.site.id);
    router.control.clear();
    expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
    await expectInSync(server.api, managed.site.id);
  }
});

test("a router that does not know the login that was given needs attention, and is adopted with the right one", async ({
  server,
}) => {
  await using router = await startRouter(server.net);
  const body = { name: "wrong login", address: router.address, ...ADMIN, password: "wrong" };
  const site: Site = expectStatus(await server.api.post("/v1/sites", body), 201);
  expect((await expectEvaluated(server, site)).state).toBe("needs_attention");
  expectStatus(await server.api.patch(`/v1/sites/${site.id}`, ADMIN), 200);
  await expectInSync(server.api, site.id);
});

test("a router whose given login may not make users is not half adopted", async ({ server }) => {
  const limited = { name: "limited", password: "pw", group: "write" };
  await using router = await startRouter(server.net, { users: [limited] });
  const body = {
    name: "limited login",
    address: router.address,
    username: limited.name,
    password: limited.password,
  };
  const site: Site = expectStatus(await server.api.post("/v1/sites", body), 201);
  expect((await expectEvaluated(server, site)).reason).toMatch(/not enough permissions/);
  const names = [...router.control.rows("/user"), ...router.control.rows("/user/group")].map(
    ({ name }) => name,
  );
  expect(names.filter((name) => name?.startsWith("portreeve"))).toEqual([]);
});

test("a hostile identity is shown as one bounded line of text", async ({ server }) => {
  const identity = `\x1b[31m<script>alert(1)</script>\r\n${"x".repeat(5000)}`;
  const managed = await startManagedRouter(server, { identity });
  await using _router = managed.router;
  expect(managed.site.identity).toMatch(/^[^\p{Cc}]{1,200}$/u);
});

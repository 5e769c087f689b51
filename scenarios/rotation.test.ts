/** Rotation of the login Portreeve has on a router: whatever goes wrong, a stored login works at every moment. */
import type { Credential } from "@portreeve/api-schema";
import type { ApiFault, Emulator } from "@portreeve/emulator";
import { LoginError, RouterClient } from "@portreeve/routeros";
import { expect } from "vitest";
import {
  credentialsOf,
  expectInSync,
  expectProblem,
  expectStatus,
  expectStoredLogin,
  expectSync,
  type ManagedRouter,
  startManagedRouter,
  type TestServer,
  waitFor,
} from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

const test = scenario.override("env", { PORTREEVE_RECONCILE_SECONDS: "1" });

const pathOf = ({ site }: ManagedRouter) => `/v1/control-plane/${site.id}/credentials`;

async function rotate(server: TestServer, managed: ManagedRouter): Promise<Credential> {
  return expectStatus(await server.api.post(pathOf(managed)), 201);
}

async function active(server: TestServer, managed: ManagedRouter): Promise<Credential> {
  const known = await credentialsOf(server.api, managed.site.id);
  const [only, ...others] = known.filter(({ state }) => state === "active");
  expect(others).toEqual([]);
  if (!only) throw new Error("no login is active");
  return only;
}

async function expectActive(
  server: TestServer,
  managed: ManagedRouter,
  credential: Credential,
): Promise<Credential> {
  return waitFor(
    async () => {
      const now = await active(server, managed);
      return now.id === credential.id && now;
    },
    { what: "the new login to be active" },
  );
}

/** Log in to the router as Portreeve does. @throws LoginError */
async function logIn({ router, site }: ManagedRouter, { username, password }: Credential): Promise<void> {
  const client = await RouterClient.connect({
    host: router.address,
    port: router.port("api"),
    localAddress: site.management_address ?? "",
    username,
    password: password ?? "",
  });
  await client.drain();
}

/** No sentence that takes our user away for a moment has reached the router. */
function expectUserNeverGone(router: Emulator): void {
  const sent = router.control.transcript().filter(({ direction }) => direction === "in");
  const gone = sent.filter(({ words: [command = "", ...words] }) => {
    const disables = command === "/user/set" && words.includes("=disabled=yes");
    return command === "/user/remove" || command === "/user/disable" || disables;
  });
  expect(gone).toEqual([]);
  expect(router.control.rows("/user").map(({ name }) => name)).toContain("portreeve-api");
}

test("a rotation sets the new password, proves it and retires the old one", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const old = await active(server, managed);
  await logIn(managed, old);
  const pending = await rotate(server, managed);
  expect(pending).toMatchObject({ state: "pending", deleted_at: null });
  expect(pending.password).not.toBe(old.password);
  const now = await expectActive(server, managed, pending);
  await logIn(managed, now);
  await expect(logIn(managed, old)).rejects.toThrow(LoginError);
  const known = await credentialsOf(server.api, managed.site.id);
  expect(known.map(({ id, state }) => [id, state])).toEqual([
    [old.id, "retired"],
    [now.id, "active"],
  ]);
  const commands = router.control
    .transcript()
    .flatMap(({ direction, words }) => (direction === "in" ? words[0] : []));
  expect(commands.lastIndexOf("/login")).toBeGreaterThan(commands.lastIndexOf("/user/set"));
  expectUserNeverGone(router);
  await expectInSync(server.api, managed.site.id);
});

test("ten rotations one after another leave one login that works and ten that don't", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  for (let time = 1; time <= 10; time++) await expectActive(server, managed, await rotate(server, managed));
  const known = await credentialsOf(server.api, managed.site.id);
  expect(known.map(({ state }) => state)).toEqual([...Array(10).fill("retired"), "active"]);
  expect(new Set(known.map(({ password }) => password)).size).toBe(11);
  const from = managed.site.management_address ?? "";
  const works = known.filter(({ username, password }) =>
    router.control.wouldAuthenticate(username, password ?? "", from),
  );
  expect(works.map(({ state }) => state)).toEqual(["active"]);
  expectUserNeverGone(router);
});

test("of twenty rotations asked for at once exactly one happens", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  await router.control.powerOff();
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.api.post(pathOf(managed))));
  const [started, ...more] = answers.filter(({ status }) => status === 201);
  expect(more).toEqual([]);
  for (const answer of answers.filter((one) => one !== started)) {
    expectProblem(answer, 409, "rotation-in-progress");
  }
  await router.control.powerOn();
  await expectActive(server, managed, expectStatus(started as NonNullable<typeof started>, 201));
});

test("while the router is unreachable the rotation waits with the reason, and completes when it is back", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const old = await active(server, managed);
  await router.control.powerOff();
  const pending = await rotate(server, managed);
  const { sync, status } = await waitFor(async () => {
    const site = await expectSync(server.api, managed.site.id, "pending");
    return site.sync.reason !== null && site;
  });
  expect(sync.reason).toMatch(/connect|refused|reach/i);
  expect(status).toBe("offline");
  expect(await active(server, managed)).toEqual(old);
  expectProblem(await server.api.post(pathOf(managed)), 409, "rotation-in-progress");
  expect(await expectStoredLogin(server.api, managed)).toEqual(old);
  await router.control.powerOn();
  await expectActive(server, managed, pending);
  await expectInSync(server.api, managed.site.id);
});

const REPLY_LOST: readonly { title: string; fault: ApiFault }[] = [
  { title: "drops the connection instead of replying", fault: { kind: "drop-reply", close: true } },
  { title: "breaks off in the middle of the reply", fault: { kind: "cut" } },
];

test.for(REPLY_LOST)(
  "a router that applies the password and $title ends up with the new one",
  async ({ fault }, { server }) => {
    const managed = await startManagedRouter(server);
    await using router = managed.router;
    router.control.inject({ ...fault, command: "/user/set", times: 1 });
    await expectActive(server, managed, await rotate(server, managed));
    await expectInSync(server.api, managed.site.id);
    expectUserNeverGone(router);
  },
);

test("a router that refuses every new password needs attention, and the old login stays valid", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  const old = await active(server, managed);
  router.control.inject({ kind: "trap", command: "/user/set", message: "failure: password too weak" });
  const pending = await rotate(server, managed);
  const { sync } = await expectSync(server.api, managed.site.id, "needs_attention");
  expect(sync.reason).toContain("password too weak");
  expect(sync.reason).toContain("old login stays");
  expect(await active(server, managed)).toEqual(old);
  await logIn(managed, old);
  router.control.clear();
  const now = await expectActive(server, managed, pending);
  await logIn(managed, now);
  await expectInSync(server.api, managed.site.id);
});

test("a router that wants symbols in passwords gets one with symbols", async ({ server }) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  router.control.inject({
    kind: "trap",
    command: "/user/set",
    message: "failure: password too weak",
    times: 1,
  });
  const now = await expectActive(server, managed, await rotate(server, managed));
  for (const category of [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/]) expect(now.password).toMatch(category);
  await logIn(managed, now);
});

test("a router that reboots in the middle of a rotation ends up with the new password", async ({
  server,
}) => {
  const managed = await startManagedRouter(server);
  await using router = managed.router;
  router.control.inject({ kind: "delay", command: "/user/set", ms: 5_000, times: 1 });
  const pending = await rotate(server, managed);
  const sets = () => router.control.transcript().filter(({ words }) => words[0] === "/user/set");
  await waitFor(() => sets().some(({ words }) => words.includes("=password=[redacted]")));
  await router.control.reboot();
  await expectActive(server, managed, pending);
  await expectInSync(server.api, managed.site.id);
});

/** Every command of a rotation, and every way in which it can go wrong at once. */
const COMMANDS = ["/login", "/user/print", "/user/set", "/system/identity/print", "/ip/service/print"];
const FAULTS: readonly ApiFault[] = [
  { kind: "drop-reply", close: true },
  { kind: "cut" },
  { kind: "cut", bytes: 0 },
  { kind: "garbage" },
  { kind: "trap", message: "failure: out of memory" },
  { kind: "trickle", ms: 1 },
];

test.for(COMMANDS)(
  "whatever goes wrong with %s, once or twice, a stored login works at every moment",
  { timeout: 120_000 },
  async (command, { server }) => {
    const managed = await startManagedRouter(server);
    await using router = managed.router;
    for (const fault of FAULTS) {
      for (const times of [1, 2]) {
        router.control.inject({ ...fault, command, times });
        const pending = await rotate(server, managed);
        const done = async () => {
          await expectStoredLogin(server.api, managed);
          if ((await active(server, managed)).id === pending.id) return true;
          expectStatus(await server.api.post(`/v1/sites/${managed.site.id}/reconcile`), 202);
          return false;
        };
        try {
          await waitFor(done, { what: "the rotation" });
        } catch (error) {
          throw new Error(`${fault.kind} of ${command}, ${times} times`, { cause: error });
        }
        router.control.clear();
      }
    }
    expectUserNeverGone(router);
    await expectInSync(server.api, managed.site.id);
  },
);

/**
 * No secret leaves on any path. A whole run, at log level trace, with everything that can go wrong going wrong;
 * then every secret of the run is looked for wherever people, backups and other programs may look.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SCOPES } from "@portreeve/api-schema";
import type { Emulator } from "@portreeve/emulator";
import { encodeSentence, SentenceDecoder } from "@portreeve/routeros";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpRows } from "../packages/server/src/database/dump.ts";
import {
  ADMIN,
  type Answer,
  ApiClient,
  adopt,
  type CallOptions,
  credentialsOf,
  expectInSync,
  expectStatus,
  expectSync,
  listen,
  type ManagedRouter,
  siteOf,
  startRouter,
  useBindablePorts,
  waitFor,
} from "./harness/index.ts";
import { Canaries, filesBelow, processesBelow } from "./harness/secrets.ts";
import { ServerProcess } from "./harness/server-process.ts";

/** Remembers the answers that may show no secret: all but those whose purpose it is. */
class WatchedClient extends ApiClient {
  readonly answers: { place: string; content: string }[] = [];

  override async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await super.call(method, path, options);
    const shows = answer.status < 300 && /\/(credentials|transient-access|tokens)(\/|$)/.test(path);
    const headers = JSON.stringify([...answer.headers]);
    this.answers.push({
      place: `the ${answer.status} of ${method} ${path}`,
      content: shows ? headers : headers + answer.text,
    });
    return answer;
  }
}

let server: ServerProcess;
let api: WatchedClient;
let managed: ManagedRouter;
const canaries = new Canaries();
const processes: { place: string; content: string }[] = [];
let dump = "";
const routers: Emulator[] = [];

const GIVEN = { ...ADMIN, password: "canary-Given-Router-Login-1" };
const WRONG = "canary-Wrong-Router-Login-2";
const ECHOED = "canary-Echoed-By-The-Router-3";
/** No secret: it is found where secrets are looked for, or the looking is worth nothing. */
const PUBLIC = "canary-Public-Name-Of-A-Site-4";
const control = new Canaries();
control.add("the name", PUBLIC);

beforeAll(async () => {
  server = await ServerProcess.prepare({ PORTREEVE_LOG_LEVEL: "trace" });
  api = new WatchedClient(server.api.url, server.token);
  canaries.add("the bootstrap token", server.token);
  server.start();
  const watching = watchProcesses();
  await server.ready();
  await useBindablePorts(api);
  await adoptions();
  await rotations();
  await transientAccess();
  await tokens();
  await refusals();
  await restarts();
  await collect();
  dump = await dumpRows(await server.connection());
  await server.stop();
  await watching;
}, 120_000);

afterAll(async () => {
  for (const router of routers) await router.close();
  await server?.[Symbol.asyncDispose]();
});

/** From before the cluster is made until the end: what any program sees of the processes we start. */
async function watchProcesses(): Promise<void> {
  while (server.isRunning) {
    processes.push(...(await processesBelow(server.pid)));
    await delay(20);
  }
}

async function adoptions(): Promise<void> {
  const router = await startRouter(server.net, { password: GIVEN.password, version: "7.20" });
  managed = { router, site: await adopt(api, router, { ...GIVEN, name: PUBLIC }) };
  routers.push(managed.router);
  // One that never takes the login it is given: the login stays stored until somebody gives another.
  const other = await startRouter(server.net, { version: "6.49" });
  routers.push(other);
  const site = expectStatus(await api.post("/v1/sites", siteOf(other, { password: WRONG })), 201);
  await expectSync(api, site.id, "needs_attention");
}

async function rotations(): Promise<void> {
  const path = `/v1/control-plane/${managed.site.id}/credentials`;
  const rotate = async () => {
    const headers = { "idempotency-key": `rotation-${Math.random()}` };
    const first = expectStatus(await api.post(path, undefined, { headers }), 201);
    expectStatus(await api.post(path, undefined, { headers }), 201);
    canaries.add("a pending API password", first.password);
    return first.id;
  };
  const first = await rotate();
  await waitFor(async () =>
    (await credentialsOf(api, managed.site.id)).some((one) => one.id === first && one.state === "active"),
  );
  // It refuses until it was seen to.
  const { control } = managed.router;
  control.inject({ kind: "trap", command: "/user/set", message: "failure: too weak" });
  await rotate();
  await expectSync(api, managed.site.id, "needs_attention");
  expect((await api.post(path)).status).toBe(409);
  control.clear();
  await expectInSync(api, managed.site.id);
}

async function transientAccess(): Promise<void> {
  const path = `/v1/control-plane/${managed.site.id}/transient-access`;
  for (const type of ["ssh", "winbox", "ssh"]) {
    const body = { expire_after_minutes: 5, type, full_access: true, allow_rfc1918: false };
    const headers = { "idempotency-key": `access-${Math.random()}` };
    const opened = expectStatus(await api.post(path, body, { headers }), 201);
    canaries.add("a transient password", opened.password);
    await waitFor(async () => (await api.get(`${path}/${opened.id}`)).body.config_committed_to_site);
    if (type === "winbox") expectStatus(await api.delete(`${path}/${opened.id}`), 204);
  }
  expectStatus(await api.get(path), 200);
}

async function tokens(): Promise<void> {
  const headers = { "idempotency-key": "token-1" };
  const made = expectStatus(await api.post("/v1/tokens", { name: "t", scopes: SCOPES }, { headers }), 201);
  canaries.add("a token", made.token);
  expectStatus(await api.get("/v1/sites", { token: made.token }), 200);
  expectStatus(await api.delete(`/v1/tokens/${made.id}`), 204);
  expect((await api.get("/v1/sites", { token: made.token })).status).toBe(401);
}

/** Requests that fail with a secret in them, at each stage at which one can fail. */
async function refusals(): Promise<void> {
  const { password } = GIVEN;
  const answers = await Promise.all([
    api.post("/v1/sites", { name: "x", address: "169.254.169.254", username: "u", password }),
    api.post("/v1/sites", { name: "x", address: "192.0.2.1", username: password, password: [password] }),
    api.post("/v1/sites", { name: "x", address: "192.0.2.1", username: "u", password: password.repeat(100) }),
    api.post("/v1/sites", `{"password":"${password}`),
    api.patch(`/v1/sites/${managed.site.id}`, { password }),
    api.post("/v1/sites", `password=${password}`, { headers: { "content-type": "text/plain" } }),
    api.get(`/v1/sites/${password}`),
    api.get(`/${server.token}`),
    api.get(`/v1/sites?cursor=${server.token}`),
    api.get("/v1/sites", { token: `${server.token}x` }),
    api.get("/v1/sites", { token: null, headers: { authorization: `Basic ${server.token}` } }),
  ]);
  expect(answers.map(({ status }) => status).filter((status) => status < 400)).toEqual([]);
}

async function restarts(): Promise<void> {
  await server.killDatabase();
  await waitFor(async () => (await api.get("/v1/sites")).status === 200, { within: 20_000 });
  await server.kill();
  server.start();
  void watchProcesses();
  await server.ready();
  await expectInSync(api, managed.site.id);
}

/** Secrets that only the server made, where the operator could find them too. */
async function collect(): Promise<void> {
  canaries.add("the login given for a router", GIVEN.password);
  canaries.add("a login that was wrong", WRONG);
  for (const { state, password } of await credentialsOf(api, managed.site.id)) {
    canaries.add(`an API password (${state})`, password);
  }
  canaries.add("the database's password", (await server.connection()).password);
  const file = await readFile(join(server.dataDir, "master.key"), "utf8");
  for (const word of file.split(/[^A-Za-z0-9+/_=-]+/).filter((one) => one.length >= 32)) {
    canaries.add("the master key", word);
    canaries.add("the master key's bytes", Buffer.from(word, "base64").toString("latin1"));
  }
  expectStatus(await api.get("/v1/audit?limit=200"), 200);
  expectStatus(await api.get(`/v1/sites/${managed.site.id}/plan`), 200);
  expectStatus(await api.get("/openapi.json"), 200);
  expect(canaries.count).toBeGreaterThanOrEqual(12);
}

test("stdout and stderr at log level trace show no secret", () => {
  expect(server.output().length).toBeGreaterThan(10_000);
  expect(canaries.foundIn("the log", withoutUnknownPaths(server.output()))).toEqual([]);
});

/**
 * The one exception: a secret that somebody sends as the path of nothing we have (`GET /<token>`) is in the line of
 * that request, because an operator who reads of a 404 needs to know of what.
 */
function withoutUnknownPaths(log: string): string {
  return log.replace(/"path":"[^"]*"(?=,"status":404,)/g, "");
}

test("no row of the database holds a secret that can be read", () => {
  expect(control.foundIn("the database", dump)).not.toEqual([]);
  expect(canaries.foundIn("the database", dump)).toEqual([]);
});

test("no file of the data directory holds a secret, but the two whose purpose it is", async () => {
  // The master key's file is the key, and the database's password has to be somewhere: both mode 0600, as the
  // directories above them are 0700.
  const except = [join(server.dataDir, "master.key"), join(server.dataDir, "postgres", "password")];
  const found: string[] = [];
  const controls: string[] = [];
  for await (const [path, content] of filesBelow(server.dataDir, except)) {
    found.push(...canaries.foundIn(path, content));
    controls.push(...control.foundIn(path, content));
  }
  expect(controls).not.toEqual([]);
  expect(found).toEqual([]);
});

test("command lines and environments of the processes it starts show no secret", () => {
  expect(processes.some(({ content }) => content.includes("postgres"))).toBe(true);
  expect(processes.flatMap(({ place, content }) => canaries.foundIn(place, content))).toEqual([]);
});

test("answers whose purpose is not to show a secret show none, errors least of all", () => {
  expect(api.answers.flatMap(({ place, content }) => control.foundIn(place, content))).not.toEqual([]);
  expect(api.answers.flatMap(({ place, content }) => canaries.foundIn(place, content))).toEqual([]);
});

test("what Portreeve wrote on the routers holds no secret that can be read there", () => {
  const menus = ["/user", "/user/group", "/user/active", "/ip/service", "/log", "/system/identity"];
  for (const router of routers) {
    const rows = JSON.stringify(menus.map((menu) => router.control.rows(menu)));
    expect(canaries.foundIn("the router", rows)).toEqual([]);
  }
});

test("a router that repeats the password it is given does not make Portreeve show it", async () => {
  await using watched = await ServerProcess.prepare({ PORTREEVE_LOG_LEVEL: "trace" });
  watched.start();
  await watched.ready();
  const address = watched.net.address();
  await using echo = await listen(address, (socket) => {
    const decoder = new SentenceDecoder();
    socket.on("data", (chunk: Buffer) => {
      for (const sentence of decoder.push(chunk)) {
        const message = `=message=failure: ${sentence.words().join(" ")}`;
        const tag = sentence.words().filter((word) => word.startsWith(".tag="));
        socket.write(encodeSentence(["!trap", message, ...tag]));
        socket.write(encodeSentence(["!done", ...tag]));
      }
    });
  });
  const body = { name: "echo", address, api_port: echo.port, username: "u", password: ECHOED };
  const { id } = expectStatus(await watched.api.post("/v1/sites", body), 201);
  const sync = await waitFor(async () => {
    const { sync } = (await watched.api.get(`/v1/sites/${id}`)).body;
    return sync.reason !== null && sync;
  });
  const echoed = new Canaries();
  echoed.add("the password", ECHOED);
  expect(echoed.foundIn("the answer", JSON.stringify(sync))).toEqual([]);
  expect(echoed.foundIn("the database", await dumpRows(await watched.connection()))).toEqual([]);
  await watched.stop();
  expect(echoed.foundIn("the log", watched.output())).toEqual([]);
});

import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  CliProcess,
  type Finished,
  GATEWAY_PORTS,
  LAUNCHER,
  runCli,
  temporaryDirectory,
} from "../testing.ts";

/** An address nobody else has; routers keep RouterOS's own ports there. */
const ROUTER = `127.${randomInt(100, 200)}.${randomInt(256)}.${randomInt(1, 255)}`;
const ROUTER_PASSWORD = "the router's first";
/** For tests that run up to some thirty processes one after the other: seconds each on a busy machine, milliseconds. */
const MANY_PROCESSES_MS = 180_000;

const POLICY = {
  name: "High ports",
  winbox: { enabled: true, port: 8291, networks: ["10.0.0.0/8"] },
  ssh: { enabled: true, port: 2222, networks: null },
  http: { enabled: false, port: 80, networks: null },
  https: { enabled: false, port: 443, networks: null },
  telnet: { enabled: false, port: 23, networks: null },
  ftp: { enabled: false, port: 21, networks: null },
  api: { enabled: true, port: 8728, networks: null },
  api_ssl: { enabled: false, port: 8729, networks: null },
};

const opened = new AsyncDisposableStack();
let directory: string;
let environment: Record<string, string>;

const file = (name: string) => join(directory, name);
const cli = (words: string[], input?: string): Promise<Finished> => runCli(words, environment, input);

/** Run a verb that must succeed; its output. */
async function ok(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(words);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

const json = async (...words: string[]) => JSON.parse(await ok(...words, "--json"));

/** Run a verb that must fail; what it says. */
async function refused(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(words);
  expect(stdout).toBe("");
  expect(code).toBe(1);
  return stderr;
}

beforeAll(async () => {
  directory = opened.use(await temporaryDirectory()).path;
  const server = opened.use(
    new CliProcess(["serve"], {
      PORTREEVE_HTTP: "127.0.0.1:0",
      PORTREEVE_DATA_DIR: file("data"),
      PORTREEVE_GATEWAY_PORTS: GATEWAY_PORTS,
      PORTREEVE_MANAGEMENT_ADDRESS: "127.0.0.1",
      PORTREEVE_ALLOW_LOOPBACK_SITES: "true",
    }),
  );
  const router = opened.use(
    new CliProcess(["emulate", "--address", ROUTER, "--ssh-port", "2222"], {
      PORTREEVE_EMULATOR_PASSWORD: ROUTER_PASSWORD,
    }),
  );
  await router.shows(/^api +8728 +enabled$/m);
  const [, token = ""] = await server.shows(/^Token {3}(\S+)\n/m);
  const [, url = ""] = await server.shows(/^Portal {2}(http:\S+)\/\n/m);
  environment = { PORTREEVE_URL: url, PORTREEVE_TOKEN: token };
  await writeFile(file("policy.json"), JSON.stringify(POLICY));
  await writeFile(file("moved.json"), JSON.stringify(POLICY).replace("8291", "8292"));
  const off = { enabled: false, port: 9000, networks: null };
  await writeFile(file("closed.json"), JSON.stringify({ ...POLICY, winbox: off, ssh: off }));
  await writeFile(file("password"), `${ROUTER_PASSWORD}\n`);
});

afterAll(() => opened.disposeAsync());

test(
  "a policy is created from a file, shown, changed and deleted",
  async () => {
    const created = await json("policies", "create", "-f", file("policy.json"));
    expect(created).toMatchObject({ name: "High ports", ssh: { port: 2222 } });
    expect(await ok("policies", "list")).toMatch(
      /^High ports +no +winbox 8291, ssh 2222, api 8728 +\d\d \w+ \d{4} [\d:]{8} +[\w-]{36}$/m,
    );

    const shown = await ok("policies", "show", "High ports", "--json");
    const { code } = await cli(
      ["policies", "update", created.slug, "-f", "-"],
      shown.replace("2222", "2022"),
    );
    expect(code).toBe(0);
    expect(await ok("policies", "show", created.id)).toMatch(/^ssh +open +2022 +trusted networks$/m);

    await ok("policies", "delete", "High ports");
    expect(await refused("policies", "show", "High ports")).toBe(
      "portreeve: no policy is called High ports; portreeve policies list shows them\n",
    );
  },
  MANY_PROCESSES_MS,
);

test(
  "a router is adopted, looked at, changed, opened for a person and given up, by its name",
  async () => {
    await ok("policies", "create", "-f", file("policy.json"));
    const added = await json(
      "sites",
      "add",
      "edge",
      "--address",
      ROUTER,
      "--password-file",
      file("password"),
    );
    expect(added).toMatchObject({ name: "edge", address: ROUTER, api_port: 8728 });
    expect(await ok("policies", "attach", "High ports", "edge")).toBe("High ports now has 1 site\n");
    await expect.poll(() => ok("sites", "show", "edge"), { timeout: 30_000 }).toMatch(/^Sync +in_sync$/m);
    await expectRolledOut();
    expect(await ok("sites", "list")).toMatch(
      new RegExp(`^edge +${ROUTER.replaceAll(".", "\\.")} +online +in_sync +7\\.16 .*${added.id}$`, "m"),
    );
    expect(await ok("sites", "list", "--status", "offline")).not.toContain("edge");
    const plan = await ok("sites", "plan", "edge");
    expect(plan).toMatch(/^Nothing to change: the router is as it should be\.$/m);
    expect(plan).toMatch(/^ {2}\d+ {2}P +add chain=input action=jump jump-target=portreeve .*$/m);
    expect(plan).toMatch(/^ {2}SOURCE +WINBOX +SSH +API$/m);
    expect(plan).toMatch(/^ {2}Portreeve 127\.0\.0\.1 +yes +yes +yes$/m);
    expect(plan).toMatch(/^ {2}internet 0\.0\.0\.0\/0 +partly +partly +partly$/m);
    expect(plan).toMatch(/^ {2}Closed to everybody, before and after: http, https, telnet, ftp, api_ssl$/m);

    const draft = { ...POLICY, winbox: { ...POLICY.winbox, networks: ["192.0.2.0/24"] } };
    await writeFile(file("draft.json"), JSON.stringify(draft));
    const words = ["policies", "preview", "High ports", "-f", file("draft.json"), "--site", "edge"];
    const preview = await ok(...words);
    expect(preview).toMatch(/^edge\nSteps\n {2}\/ip /);
    expect(preview).toMatch(/^ {2}10\.0\.0\.0\/8 +yes -> no +yes +yes$/m);
    expect(preview).toMatch(/^ {2}winbox from 10\.0\.0\.0\/8: no \(.*service winbox.*\)$/m);
    expect(preview).not.toContain("\u001b");
    expect((await json(...words)).data).toMatchObject([{ site_id: added.id, reached: true }]);
    expect(await ok("policies", "preview", "High ports")).toMatch(/^edge\nNothing to change/);

    const closed = ["policies", "update", "High ports", "-f", file("closed.json")];
    expect(await refused(...closed)).toMatch(
      /^ {2}winbox\.enabled: would end your access from 127\.0\.0\.1 to edge$/m,
    );
    await ok(...closed, "--lock-out-reason", "test");
    expect(await ok("audit", "list", "--action", "policy.updated")).toMatch(/"lock_out_reason":"test"/);
    await ok("policies", "update", "High ports", "-f", file("policy.json"));
    expect(await ok("sites", "reconcile", added.id)).toBe("edge is being reconciled now\n");

    const report = await ok("sites", "hardening", "edge");
    expect(report).toMatch(/^Score \d+ of 100\n\nSEVERITY +STATUS +FINDING +FIX +DETAIL\n/);
    expect(report).toMatch(
      /^medium +open +bandwidth-server +yes +\/tool\/bandwidth-server has enabled=true\.$/m,
    );
    expect(await ok("hardening", "show", "edge", "bandwidth-server")).toMatch(
      /\nRead\n {2}\/tool\/bandwidth-server {2}enabled=true\n\nWould do\n {2}\/tool bandwidth-server set enabled=no\n$/,
    );
    expect(await ok("hardening", "fix", "edge", "bandwidth-server", "upnp")).toMatch(
      /\nKept on this site: bandwidth-server, upnp\n$/,
    );
    expect(await refused("hardening", "fix", "edge", "user-passwords")).toContain(
      "does not try an empty one",
    );
    await expect
      .poll(() => ok("sites", "hardening", "edge", "--all"), { timeout: 30_000 })
      .toMatch(/^medium +ok +bandwidth-server +kept /m);
    expect(await ok("hardening", "stop", "edge", "upnp")).toMatch(
      /^The router stays as it is.*\nKept on this site: bandwidth-server\n$/,
    );

    const login = await ok("access", "open", "edge", "--expire-after-minutes", "5", "--reason", "test");
    expect(login).toMatch(/^SSH +ssh -p \d+ \w{24}@localhost$/m);
    const [, password = ""] = /^Password +(\w{24})$/m.exec(login) ?? [];
    expect(await ok("access", "list", "edge")).toMatch(
      /^ssh +\d+ +read +127\.0\.0\.1 +open, ends 4 minutes/m,
    );
    expect(await ok("access", "list", "edge", "--json")).not.toContain(password);
    expect(await ok("access", "list", "edge", "--reveal")).toContain(password);
    const [grant] = await json("access", "list", "edge");
    expect(await ok("access", "revoke", "edge", grant.id)).toBe("revoked\n");
    expect(await ok("access", "list", "edge")).not.toContain(grant.id);
    expect(await ok("access", "list", "edge", "--all")).toMatch(new RegExp(`revoked .*${grant.id}$`, "m"));

    const rotated = await json("credentials", "rotate", "edge");
    expect(rotated).toMatchObject({ password: null });
    await expect
      .poll(() => ok("credentials", "list", "edge"), { timeout: 30_000 })
      .toMatch(new RegExp(`active .*${rotated.id}$`, "m"));
    expect(JSON.stringify(await json("credentials", "list", "edge", "--reveal"))).toMatch(
      /"password":"\w{20,}"/,
    );

    expect(await ok("audit", "list", "--site", "edge", "--action", "access.opened")).toMatch(
      /"reason":"test"/,
    );
    expect(await json("audit", "list", "--limit", "3")).toHaveLength(3);

    expect(await ok("sites", "remove", "edge")).toBe("edge is being off-boarded\n");
    await expect.poll(() => ok("sites", "list"), { timeout: 30_000 }).not.toContain("edge");
  },
  MANY_PROCESSES_MS,
);

/** The policy's change comes to the site, and is shown under the policy's name. */
async function expectRolledOut(): Promise<void> {
  await ok("policies", "update", "High ports", "-f", file("moved.json"));
  await expect
    .poll(() => ok("rollouts", "show", "High ports"), { timeout: 30_000 })
    .toMatch(/^State +done$[\s\S]*^Sites +1 verified$/m);
  expect(await refused("rollouts", "rollback", "High ports")).toMatch(/^portreeve: It is done; this needs /);
}

test("a token is made, used and revoked", async () => {
  const made = await json("tokens", "create", "reader", "--scopes", "sites:read");
  const reader = { ...environment, PORTREEVE_TOKEN: made.token };

  expect(await runCli(["sites", "list"], reader)).toMatchObject({ code: 0 });
  expect((await runCli(["policies", "list"], reader)).stderr).toContain("policies:read");
  await ok("tokens", "revoke", made.id);
  expect(await ok("tokens", "list")).toMatch(/^reader +revoked /m);
  expect(await runCli(["sites", "list"], reader)).toMatchObject({
    code: 1,
    stderr: "portreeve: PORTREEVE_TOKEN: the server does not accept this token\n",
  });
});

test("a request that is wrong is told field by field, before it is sent", async () => {
  const said = await refused(
    "access",
    "open",
    "edge",
    "--expire-after-minutes",
    "soon",
    "--allow-only-ip",
    "me",
  );

  expect(said).toMatch(/^portreeve: the request is not valid:$/m);
  expect(said).toMatch(/^ {2}expire_after_minutes: must be a whole number of minutes$/m);
  expect(said).toMatch(/^ {2}allow_only_ip: must be an IPv4 or IPv6 address/m);
});

test("what the API refuses is told in its words, field by field", async () => {
  const nobody = "00000000-0000-4000-8000-000000000000";
  const said = await refused("policies", "attach", "Default Policy", nobody);

  expect(said).toMatch(/^portreeve: \S+/);
  expect(said).toMatch(new RegExp(`^ {2}sites\\.0: no site has the id ${nobody}$`, "m"));
});

test("a file that holds no policy is told", async () => {
  await writeFile(file("broken.json"), "{");
  await writeFile(file("partial.json"), JSON.stringify({ ...POLICY, ssh: undefined, colour: "red" }));

  expect(await refused("policies", "create", "-f", file("broken.json"))).toContain(
    "broken.json holds no JSON",
  );
  expect(await refused("policies", "create", "-f", file("partial.json"))).toMatch(/^ {2}ssh: /m);
  expect(await refused("policies", "create", "-f", file("nowhere"))).toContain("can't be read (ENOENT)");
});

test("a router's password is never an argument, and without a terminal it is not asked for", async () => {
  const words = ["sites", "add", "edge", "--address", ROUTER];

  expect(await refused(...words)).toContain("give --password-file <file>, - for standard input");
  expect(await refused(...words, "--password", "secret")).toContain("unknown option '--password'");
});

/** Run a command at a terminal, which script(1) gives it, and answer its question. @returns all that was shown */
async function atTerminal(
  words: readonly string[],
  { PORTREEVE_URL, PORTREEVE_TOKEN = "" }: Record<string, string>,
  question: string,
  answer: string,
): Promise<string> {
  const command = `${process.execPath} --conditions=@portreeve/source ${LAUNCHER} ${words.join(" ")}`;
  const terminal = spawn("script", ["-qec", command, "/dev/null"], {
    env: { ...process.env, PORTREEVE_URL, PORTREEVE_TOKEN },
  });
  let screen = "";
  terminal.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  const ended = once(terminal, "close");
  while (!screen.includes(question)) {
    expect(terminal.exitCode, screen).toBeNull();
    await Promise.race([once(terminal.stdout, "data"), ended]);
  }
  terminal.stdin.write(answer);
  await ended;
  return screen;
}

test("a password asked for at a terminal is not shown there", async () => {
  const words = ["sites", "add", "edge", "--address", ROUTER];
  const nowhere = { PORTREEVE_URL: "http://127.0.0.1:1" };
  const screen = await atTerminal(words, nowhere, `Password of admin on ${ROUTER}: `, "typed in secret\r");

  expect(screen).toContain("does not answer"); // so the prompt took it and went on
  expect(screen).not.toContain("typed");
});

test("a fleet file is applied at a terminal after a yes, and after nothing else", async () => {
  const path = file("fleet.yaml");
  await ok("export", "-o", path);
  await writeFile(path, (await readFile(path, "utf8")).replace("port: 22\n", "port: 2422\n"));
  const apply = (answer: string) => atTerminal(["apply", "-f", path], environment, "[y/N]", answer);
  const isApplied = async () => (await cli(["plan", "-f", path])).code === 0;

  for (const no of ["\r", "n\r", "yet\r", "\u0003", "\u0004"]) {
    expect(await apply(no)).toContain("cancelled; nothing was changed");
  }
  expect(await isApplied()).toBe(false);
  expect(await apply("y\r")).toMatch(/ssh\.port: 22 -> 2422[\s\S]*Applied\./);
  expect(await isApplied()).toBe(true);
});

test("a server that isn't there, or isn't a Portreeve, is told", async () => {
  const away = await runCli(["sites", "list"], { PORTREEVE_URL: "http://127.0.0.1:1" });
  expect(away).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^portreeve: PORTREEVE_URL: http:\/\/127\.0\.0\.1:1 does not answer .*\n$/),
  });

  const page = createServer((_request, response) => response.end("<p>hello</p>"));
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  const { port } = page.address() as AddressInfo;
  const elsewhere = await runCli(["sites", "list"], { PORTREEVE_URL: `http://127.0.0.1:${port}` });
  page.close();
  expect(elsewhere.stderr).toBe(
    "portreeve: the server answered 200 OK; is PORTREEVE_URL the address of a Portreeve server?\n",
  );
});

test("a missing token is told", async () => {
  const { stderr } = await runCli(["sites", "list"], { ...environment, PORTREEVE_TOKEN: "" });

  expect(stderr).toBe("portreeve: PORTREEVE_TOKEN: no token given\n");
});

/** Where a site may be: nowhere that would make Portreeve a way to this machine or to its neighbours' services. */
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN, expectProblem, expectStatus, startTestServer, type TestServer } from "./harness/index.ts";

let strict: TestServer;
/** One that lets sites be on the loopback, as the demo does. */
let lenient: TestServer;
let known: string;

beforeAll(async () => {
  // No period runs out meanwhile: what is stored is compared.
  const PORTREEVE_RECONCILE_SECONDS = "3600";
  strict = await startTestServer({
    env: { PORTREEVE_ALLOW_LOOPBACK_SITES: "false", PORTREEVE_RECONCILE_SECONDS },
  });
  lenient = await startTestServer({ env: { PORTREEVE_RECONCILE_SECONDS, PORTREEVE_ROLES: "api" } });
  known = expectStatus(await lenient.api.post("/v1/sites", site("127.0.0.1")), 201).id;
});

afterAll(async () => {
  await strict?.[Symbol.asyncDispose]();
  await lenient?.[Symbol.asyncDispose]();
});

const loopback = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:ffff:7f00:1"];
const elsewhere = [
  ...["169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "100.100.100.200", "fd00:ec2::254"],
  ...["0.0.0.0", "0.1.2.3", "::", "[::]", "fe80::1", "fe80::1%lo", "224.0.0.1", "255.255.255.255", "ff02::1"],
  ...["64:ff9b::a9fe:a9fe", "2002:7f00:1::"],
  ...["127.1", "0x7f.1", "0x7f000001", "0", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1."],
  ...["localhost", "LOCALHOST", "localhost.", "router.localhost"],
  ...[
    "",
    " ",
    "a b",
    "-x",
    "http://192.0.2.1",
    "192.0.2.1:8728",
    "user@192.0.2.1",
    "192.0.2.1/24",
    "router;reboot",
  ],
];

const site = (address: string) => ({ name: "x", address, ...ADMIN });

test.each([...loopback, ...elsewhere])("a site can't be at %j", async (address) => {
  const problem = expectProblem(await strict.api.post("/v1/sites", site(address)), 422, "validation-failed");
  expect(problem.errors).toHaveProperty("address");
  expect(expectStatus(await strict.api.get("/v1/sites"), 200).data).toEqual([]);
});

test.each(elsewhere)("a site can't be at %j either where loopback is allowed", async (address) => {
  const before = expectStatus(await lenient.api.get("/v1/sites"), 200);
  for (const [method, path] of [
    ["POST", "/v1/sites"],
    ["PATCH", `/v1/sites/${known}`],
  ] as const) {
    const body = method === "POST" ? site(address) : { address };
    const answer = await lenient.api.call(method, path, { body });
    expect(expectProblem(answer, 422, "validation-failed").errors).toHaveProperty("address");
  }
  expect(expectStatus(await lenient.api.get("/v1/sites"), 200)).toEqual(before);
});

test("a site may be at a name, and a name that leads to this machine is not followed", async ({ skip }) => {
  const name = await nameOfThisMachine();
  if (name === undefined) return skip("no name but localhost leads to this machine's loopback");
  const { id } = expectStatus(await strict.api.post("/v1/sites", site(name)), 201);
  await expect
    .poll(async () => (await strict.api.get(`/v1/sites/${id}`)).body.sync, { timeout: 10_000 })
    .toMatchObject({ state: "failed", reason: expect.stringContaining("refused") });
  expectStatus(await strict.api.delete(`/v1/sites/${id}?force=true`), 202);
});

async function nameOfThisMachine(): Promise<string | undefined> {
  for (const name of [hostname(), "ip6-localhost", "ip6-loopback"]) {
    const found = await lookup(name, { all: true }).catch(() => []);
    if (found.some(({ address }) => /^(127\.|::1$)/.test(address))) return name;
  }
  return undefined;
}

/** Where a site may be: nowhere that would make Portreeve a way to this machine or to its neighbours' services. */
import type { Site } from "@portreeve/api-schema";
import { expect, vi } from "vitest";
import { ADMIN, expectProblem, expectStatus, startTestServer, waitFor } from "./harness/index.ts";
import { scenario } from "./harness/scenario.ts";

/** What somebody's name server may answer for names of theirs. */
const NAMES = vi.hoisted(
  (): Record<string, string[]> => ({
    "inside.router.example": ["127.0.0.1"],
    "inside6.router.example": ["::1"],
    "mapped.router.example": ["::ffff:127.0.0.1"],
    "metadata.router.example": ["169.254.169.254"],
    "one-of-two.router.example": ["192.0.2.1", "127.0.0.1"],
  }),
);

vi.mock("node:dns", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:dns")>();
  const isIpv6 = (address: string) => address.includes(":");
  /** The part of Node's that the server uses. */
  class Resolver {
    resolve4 = async (name: string) => this.#found(name, (address) => !isIpv6(address));
    resolve6 = async (name: string) => this.#found(name, isIpv6);
    cancel(): void {}
    #found(name: string, isOfFamily: (address: string) => boolean): string[] {
      const found = NAMES[name]?.filter(isOfFamily) ?? [];
      if (found.length === 0) throw Object.assign(new Error("no such name"), { code: "ENODATA" });
      return found;
    }
  }
  return { ...original, promises: { ...original.promises, Resolver } };
});

// No period runs out meanwhile: what is stored is compared.
const PORTREEVE_RECONCILE_SECONDS = "3600";
const test = scenario
  /** A server that lets sites be on the loopback, as the demo does. */
  .override("env", { PORTREEVE_RECONCILE_SECONDS, PORTREEVE_ROLES: "api" })
  .override("bindablePorts", false)
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads what a fixture needs from this pattern
  .extend("strict", { scope: "file" }, async ({}, { onCleanup }) => {
    const env = { PORTREEVE_ALLOW_LOOPBACK_SITES: "false", PORTREEVE_RECONCILE_SECONDS };
    const strict = await startTestServer({ env });
    onCleanup(() => strict[Symbol.asyncDispose]());
    return strict;
  })
  .extend("known", { scope: "file" }, async ({ server }) => {
    const { id }: Site = expectStatus(await server.api.post("/v1/sites", site("127.0.0.1")), 201);
    return id;
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

test.for([...loopback, ...elsewhere])("a site can't be at %j", async (address, { strict }) => {
  const problem = expectProblem(await strict.api.post("/v1/sites", site(address)), 422, "validation-failed");
  expect(problem.errors).toHaveProperty("address");
  expect(expectStatus(await strict.api.get("/v1/sites"), 200).data).toEqual([]);
});

test.for(elsewhere)(
  "a site can't be at %j either where loopback is allowed",
  async (address, { server, known }) => {
    const before = expectStatus(await server.api.get("/v1/sites"), 200);
    for (const [method, path] of [
      ["POST", "/v1/sites"],
      ["PATCH", `/v1/sites/${known}`],
    ] as const) {
      const body = method === "POST" ? site(address) : { address };
      const answer = await server.api.call(method, path, { body });
      expect(expectProblem(answer, 422, "validation-failed").errors).toHaveProperty("address");
    }
    expect(expectStatus(await server.api.get("/v1/sites"), 200)).toEqual(before);
  },
);

test.for(Object.keys(NAMES))(
  "a site may be at the name %s, which is not followed to where it leads",
  async (name, { strict }) => {
    const { id } = expectStatus(await strict.api.post("/v1/sites", site(name)), 201);
    const evaluated = async () => {
      const { sync } = (await strict.api.get(`/v1/sites/${id}`)).body;
      return sync.reason !== null && sync;
    };
    expect(await waitFor(evaluated)).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("refused"),
    });
    expectStatus(await strict.api.delete(`/v1/sites/${id}?force=true`), 202);
  },
);

import { expect, test } from "vitest";
import type { Change } from "./compare.ts";
import { readFleet } from "./fleet.ts";
import { send } from "./send.ts";
import { inputNamed } from "./testing.ts";

const { file } = readFleet("fleet.yaml", "policies: {}");
const policy = { key: "edge", id: "id of edge", input: inputNamed("edge") };
const changes: Change[] = [
  { kind: "change", ...policy, differences: [] },
  { kind: "move", ...policy, sites: [{ id: "id of fra-1", name: "fra-1", index: 0, from: "Default" }] },
];

/** The bodies that are sent, by method and path. */
async function sent(reason: string | undefined): Promise<Record<string, unknown>> {
  const bodies: Record<string, unknown> = {};
  const api = {
    async request(method: string, path: string, body: unknown) {
      bodies[`${method} ${path}`] = JSON.parse(JSON.stringify(body));
    },
  };
  await send(api, file, changes, reason);
  return bodies;
}

test("the reason for a lock-out goes with whatever may need it, and nothing does without one", async () => {
  const confirmed = await sent("retired");
  expect(Object.values(confirmed)).toEqual([
    expect.objectContaining({ name: "edge", lock_out_reason: "retired" }),
    { sites: ["id of fra-1"], lock_out_reason: "retired" },
  ]);
  for (const body of Object.values(await sent(undefined))) expect(body).not.toHaveProperty("lock_out_reason");
});

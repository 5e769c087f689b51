import type { SitePreview } from "@portreeve/api-schema";
import { expect, test } from "vitest";
import type { Change } from "./compare.ts";
import { describeRouters, outlooks, previewRouters } from "./routers.ts";
import { current, inputNamed, policyNamed, siteNamed } from "./testing.ts";

const base = policyNamed("Base", { default: true });
const edge = policyNamed("edge");
const old = policyNamed("old");
const [a, b, c, d] = [siteNamed("a", base), siteNamed("b", base), siteNamed("c", edge), siteNamed("d", old)];
const now = current([base, edge, old], [a, b, c, d]);

const changed: Change = {
  kind: "change",
  key: "Base",
  id: base.id,
  input: inputNamed("Base 2"),
  differences: [],
};
const created: Change = { kind: "create", key: "new", input: inputNamed("new") };
const moved: Change = {
  kind: "move",
  key: "new",
  id: undefined,
  input: inputNamed("new"),
  sites: [{ id: b.id, name: "b", from: "Base", index: 0 }],
};
const deleted: Change = { kind: "delete", id: old.id, name: "old", sites: [{ id: d.id, name: "d" }] };

/** `edge: a, b`, the policy that is asked by and what it is to be called. */
const brief = (changes: Change[]) =>
  outlooks(changes, now).map(({ policyId, input, sites }) => {
    const asked = now.policies.find(({ id }) => id === policyId)?.name;
    return `${asked} as ${input.name}: ${sites.map(({ name }) => name).join(", ")}`;
  });

test("a changed policy concerns the sites that stay under it", () => {
  expect(brief([changed])).toEqual(["Base as Base 2: a, b"]);
  expect(brief([changed, created, moved])).toEqual(["Base as Base 2: a", "Base as new: b"]);
});

test("a site of a deleted policy gets what the default one will say", () => {
  expect(brief([deleted])).toEqual(["Base as Base: d"]);
  expect(brief([changed, deleted])).toEqual(["Base as Base 2: a, b", "Base as Base 2: d"]);
});

test("a policy without sites concerns no router", () => {
  expect(brief([created])).toEqual([]);
});

test("fifty routers at most are asked for in one request", async () => {
  const asked: unknown[] = [];
  const api = {
    async request(_method: string, _path: string, body?: unknown) {
      asked.push((body as { sites: string[] }).sites.length);
      return { data: [] };
    },
  };
  const sites = Array.from({ length: 120 }, (_, n) => ({ id: `${n}`, name: `${n}` }));

  await previewRouters(api, [{ policyId: base.id, input: inputNamed("Base"), sites }]);

  expect(asked).toEqual([50, 50, 20]);
});

test("each router has its steps, or why it could not be read", () => {
  const nothing = { steps: [], input_chain: { ipv4: null, ipv6: null }, access: [], warnings: [] };
  const preview = (name: string, change: Partial<SitePreview>): SitePreview => ({
    site_id: name,
    name,
    reached: true,
    reason: null,
    ...nothing,
    ...change,
  });
  const step = { menu: "/ip/service", command: "set", target: "ssh", values: {}, before: {} };

  expect(
    describeRouters([
      preview("a", { steps: [{ ...step, text: "/ip service set ssh port=2222" }] }),
      preview("b", {}),
      preview("c\u001b[2J", { reached: false, reason: "no connection within 10000 ms" }),
    ]),
  ).toBe(
    [
      "router a",
      "    /ip service set ssh port=2222",
      "router b stays as it is",
      "router c\\x1b[2J could not be read: no connection within 10000 ms",
    ].join("\n"),
  );
});

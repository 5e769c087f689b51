import { expect, test } from "vitest";
import { compare } from "./compare.ts";
import { describePlan } from "./describe.ts";
import { readFleet } from "./fleet.ts";
import type { Current } from "./resolve.ts";
import { current, policyNamed, siteNamed, yamlPolicy } from "./testing.ts";
import { writeFleet } from "./write.ts";

const base = policyNamed("Base", { default: true });
const edge = policyNamed("edge");
const [fra1, fra2] = [siteNamed("fra-1", edge), siteNamed("fra-2", base)];
const there = current([base, edge], [fra1, fra2]);

const planOf = (text: string, now: Current, prune = false) =>
  describePlan(compare(readFleet("f.yaml", text), now, { prune }));

/** The plan for a file made of what is there, with one change of its text. */
const plan = (change: (text: string) => string, now: Current = there, prune = false) =>
  planOf(change(writeFleet(now)), now, prune);

function refused(text: string, now: Current = there): string {
  try {
    planOf(text, now);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the file was taken");
}

test("a changed field is one line, and its policy is named", () => {
  expect(plan((text) => text.replace(/(edge:[\s\S]*port: )22/, "$12222"))).toBe(
    ["~ policy edge", "    ssh.port: 22 -> 2222", "1 policy to change."].join("\n"),
  );
});

test("a policy that is not there is created, and a site goes there", () => {
  const text = `policies:\n${yamlPolicy("core", "    sites: [fra-2]\n")}`;

  expect(planOf(text, there)).toBe(
    [
      "+ policy core",
      "    api on 8728 for 100.64.0.1/32",
      "    everything else closed",
      "> 1 site to core",
      "    fra-2, now under Base",
      "1 policy to create, 1 site to move.",
    ].join("\n"),
  );
});

test("the management network, which the server puts into lists, is no difference", () => {
  const widened = { ...edge.winbox, networks: ["100.64.0.1/32", "10.0.0.0/8"] };
  const stored = current([base, { ...edge, winbox: widened }], []);
  const without = (text: string) => text.replace(/( +- 100\.64\.0\.1\/32\n)( +- 10\.0\.0\.0\/8)/, "$2");

  expect(without(writeFleet(stored))).not.toBe(writeFleet(stored));
  expect(plan(without, stored)).toMatch(/^Nothing to change/);
});

test("an address taken out of a list is a difference, though it stood first like the management network", () => {
  const widened = { ...edge.winbox, networks: ["192.0.2.7/32", "10.0.0.0/8"] };
  const stored = current([base, { ...edge, winbox: widened }], []);

  expect(plan((text) => text.replace(/ +- 192\.0\.2\.7\/32\n/, ""), stored)).toContain(
    "winbox.networks: 100.64.0.1/32, 192.0.2.7/32, 10.0.0.0/8 -> 100.64.0.1/32, 10.0.0.0/8",
  );
});

test("null and an empty list both name no networks", () => {
  expect(plan((text) => text.replaceAll("networks: []", "networks: null"))).toMatch(/^Nothing to change/);
});

test("the default policy is found whatever it is called, and renamed", () => {
  expect(plan((text) => text.replace("Base:", "Ground:"))).toBe(
    ["~ policy Ground", "    name: Base -> Ground", "1 policy to change."].join("\n"),
  );
});

test("a policy is found by its slug, and renamed", () => {
  expect(plan((text) => text.replace(/^ {2}edge:/m, `  ${edge.slug}:\n    name: core`))).toContain(
    "name: edge -> core",
  );
});

test("policies that the file does not have stay, unless it prunes", () => {
  const withoutEdge = (text: string) => text.replace(/^ {2}edge:[\s\S]*/m, "");

  expect(plan(withoutEdge)).toMatch(/^Nothing to change/);
  expect(plan(withoutEdge, there, true)).toBe(
    ["- policy edge", "    fall back to the default policy: fra-1", "1 policy to delete."].join("\n"),
  );
});

test("the default policy is never pruned", () => {
  expect(planOf("policies: {}", current([base]), true)).toMatch(/^Nothing to change/);
});

test("a site left out of its policy's list stays, and is named", () => {
  expect(plan((text) => text.replace(/ {4}sites:\n +- fra-1\n/, ""))).toBe(
    "Not in the file, left where they are: fra-1\nNothing to change: Portreeve is as the file says.",
  );
});

test("a service through which Portreeve comes in is closed after the sites have moved away", () => {
  const api_ssl = { enabled: true, port: 8729, networks: [] };
  const secure = policyNamed("secure", { api_ssl });
  const now = current([base, { ...edge, api_ssl }, secure], [fra1]);
  const changed = (text: string) =>
    text
      .replace(/(edge:[\s\S]*?api_ssl: \{ enabled: )true/, "$1false")
      .replace(/ {4}sites:\n +- fra-1\n/, "    sites: []\n")
      .replace(/(secure:[\s\S]*sites: )\[\]/, "$1[fra-1]");

  expect(plan(changed, now)).toBe(
    [
      "> 1 site to secure",
      "    fra-1, now under edge",
      "~ policy edge",
      "    api_ssl.enabled: true -> false",
      "1 policy to change, 1 site to move.",
    ].join("\n"),
  );
});

test("a site that is not there, or twice, is told at its line", () => {
  const duplicate = siteNamed("fra-1", edge, { id: "another id" });

  expect(refused(writeFleet(there).replace("- fra-1", "- fra-9"))).toMatch(
    /^f\.yaml:\d+ policies\.edge\.sites\.0: no site is called fra-9; portreeve sites list shows them$/,
  );
  expect(refused(writeFleet(there), current([base, edge], [fra1, duplicate, fra2]))).toMatch(
    /policies\.edge\.sites\.0: 2 sites are called fra-1; rename one: portreeve sites rename id of fra-1 <name>$/,
  );
});

test("a site on its way out does not stand in the way of its successor", () => {
  const leaving = siteNamed("fra-1", base, { id: "another id", status: "deleting" });

  expect(plan((text) => text, current([base, edge], [fra1, leaving, fra2]))).toMatch(/^Nothing to change/);
});

test("a name that two policies have is told with the slugs to choose from", () => {
  const duplicate = policyNamed("edge", {}, 2);

  expect(refused(writeFleet(there), current([base, edge, duplicate], [fra1, fra2]))).toMatch(
    /policies\.edge: 2 policies are called so; write edge-0000000001 or edge-0000000002 instead, and name: edge/,
  );
});

test("a slug that no policy has is told", () => {
  expect(refused(writeFleet(there).replace(/^ {2}edge:/m, "  gone-1R9lznKst4:\n    name: edge"))).toMatch(
    /policies\.gone-1R9lznKst4: no policy has this slug/,
  );
});

test("two keys for one policy are told", () => {
  const both = `${writeFleet(there)}${yamlPolicy(edge.slug, "    name: other\n")}`;

  expect(refused(both)).toMatch(/policies\.edge-0000000001: names the same policy as edge$/);
});

test("another policy can't become the default", () => {
  expect(refused(`policies:\n${yamlPolicy("edge", "    default: true\n")}`)).toMatch(
    /^f\.yaml:2 policies\.edge: can't become the default policy; Base is/,
  );
});

import { expect, test } from "vitest";
import { readFleet } from "./fleet.ts";
import { yamlPolicy } from "./testing.ts";

const read = (text: string) => readFleet("fleet.yaml", text);
/** A file with policies; the first stands on line 2, each takes nine lines and what is added to it. */
const file = (...policies: string[]) => `policies:\n${policies.join("")}`;
const refused = (text: string): string[] => {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message.split("\n").map((line) => line.trim());
  }
  throw new Error("the file was taken");
};

test("a policy is read under its key, with the API's defaults and spellings", () => {
  const { policies } = read(file(yamlPolicy("edge", "    sites: [fra-1, fra-2]\n")));

  expect(policies).toMatchObject([
    { key: "edge", bySlug: false, isDefault: false, sites: ["fra-1", "fra-2"] },
  ]);
  expect(policies[0]?.input).toMatchObject({
    name: "edge",
    api: { networks: ["100.64.0.1/32"] },
    trusted_networks: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
    management_transport: "api",
  });
  expect(policies[0]?.input).not.toHaveProperty("sites");
});

test("a policy with a name is one that exists, by its slug", () => {
  const { policies } = read(file(yamlPolicy("edge-1R9lznKst4", "    name: core\n")));

  expect(policies).toMatchObject([{ key: "edge-1R9lznKst4", bySlug: true, input: { name: "core" } }]);
});

test("keys that look like numbers, and any other text, are names", () => {
  const names = ["101", "0x1f", "yes", "null", "1e3", "Zürich Nord"];
  const { policies } = read(file(...names.map((name) => yamlPolicy(name))));

  expect(policies.map(({ key }) => key).sort()).toEqual(names.sort());
});

test("anchors and merge keys repeat what is the same", () => {
  const first = yamlPolicy("edge", "    trusted_networks: &lan [10.0.0.0/8]\n").replace(
    "edge:",
    "edge: &edge",
  );
  const { policies } = read(
    file(first, "  core:\n    <<: *edge\n    trusted_networks: *lan\n    sites: [a]\n"),
  );

  expect(policies[1]).toMatchObject({
    key: "core",
    input: { name: "core", trusted_networks: ["10.0.0.0/8"] },
  });
});

test("a wrong field is told with its line and path", () => {
  const wrong = yamlPolicy("edge")
    .replace("port: 22,", "port: 70000,")
    .replace("100.64.0.1/32", "10.0.0.5/8");

  expect(refused(file(wrong))).toEqual([
    "fleet.yaml:4 policies.edge.ssh.port: must be from 1 to 65535",
    "fleet.yaml:10 policies.edge.api.networks.0: has host bits set; write 10.0.0.0/8",
  ]);
});

test("a list over several lines is told at the entry's own line", () => {
  const wrong = "    trusted_networks:\n      - 10.0.0.0/8\n      - ten\n";

  expect(refused(file(yamlPolicy("edge", wrong)))).toEqual([
    "fleet.yaml:13 policies.edge.trusted_networks.1: must be an IPv4 or IPv6 network such as 10.0.0.0/8",
  ]);
});

test("a missing field is told at the line of what lacks it, an unknown one at its own", () => {
  const wrong = yamlPolicy("edge", "    colour: red\n").replace(/ {4}ftp.*\n/, "");

  expect(refused(file(wrong))).toEqual([
    "fleet.yaml:2 policies.edge.ftp: is required",
    "fleet.yaml:10 policies.edge.colour: is not a known field; remove it or correct its name",
  ]);
});

test("what policies may not say of two services is told too", () => {
  const wrong = yamlPolicy("edge").replace(
    "ssh: { enabled: false, port: 22",
    "ssh: { enabled: true, port: 8728",
  );

  expect(refused(file(wrong))).toEqual([
    expect.stringMatching(/^fleet\.yaml:10 policies\.edge\.api\.port: port 8728 is already used by ssh/),
  ]);
});

test("an unknown key at the top, no policies, and no mapping at all are told", () => {
  expect(refused("policies: {}\npolicy: {}\n")).toEqual([
    "fleet.yaml:2 policy: is not a known field; remove it or correct its name",
  ]);
  expect(refused("")).toEqual(["fleet.yaml:1 policies: must be policies by their names"]);
  expect(refused("policies: [edge]\n")).toEqual(["fleet.yaml:1 policies: must be policies by their names"]);
  expect(refused("policies:\n  edge: 7\n")).toEqual(["fleet.yaml:2 policies.edge: must be an object"]);
});

test("text that is no YAML is told with its line", () => {
  expect(refused("policies:\n  edge: [\n")).toEqual([expect.stringMatching(/^fleet\.yaml:3 Flow sequence/)]);
  expect(refused("policies: {}\n---\npolicies: {}\n")).toEqual([
    expect.stringMatching(/^fleet\.yaml:2 a fleet file is one YAML document/),
  ]);
  expect(refused("policies: !secret {}\n")).toEqual([expect.stringMatching(/^fleet\.yaml:1 .*!secret/)]);
});

test("a key given twice is told at the second", () => {
  expect(refused(file(yamlPolicy("edge"), yamlPolicy("edge")))).toEqual([
    "fleet.yaml:11 edge: is given twice",
  ]);
});

test("a name, the default and a site can stand in one policy only", () => {
  const twice = file(
    yamlPolicy("edge", "    default: true\n    sites: [fra-1, fra-1]\n"),
    yamlPolicy("edge-1R9lznKst4", "    name: edge\n    default: true\n    sites: [fra-1]\n"),
  );

  expect(refused(twice)).toEqual([
    "fleet.yaml:13 policies.edge-1R9lznKst4: edge is already at edge",
    "fleet.yaml:23 policies.edge-1R9lznKst4.default: the default is already at edge",
    "fleet.yaml:12 policies.edge.sites.1: fra-1 is already at edge",
    "fleet.yaml:24 policies.edge-1R9lznKst4.sites.0: fra-1 is already at edge",
  ]);
});

test("a site that looks like a number has to be in quotes, because a leading zero would be lost", () => {
  expect(refused(file(yamlPolicy("edge", "    sites: [0101]\n")))).toEqual([
    "fleet.yaml:11 policies.edge.sites.0: must be the name of a site; put it in quotes if it looks like a number",
  ]);
});

test("aliases of aliases do not grow without bound", () => {
  const layers = Array.from({ length: 9 }, (_, n) => {
    const before = n === 0 ? "x" : `*a${n - 1}`;
    return `a${n}: &a${n} [${Array(9).fill(before).join(", ")}]\n`;
  });

  expect(refused(`${layers.join("")}policies: {}\n`)).toEqual([
    expect.stringMatching(/^fleet\.yaml: .*alias/),
  ]);
});

test("what stands in the file can't drive the terminal", () => {
  expect(refused(file(yamlPolicy("edge", '    "\\e[2J": 1\n')))).toEqual([
    expect.stringMatching(/^fleet\.yaml:11 policies\.edge\."\\u001b\[2J": is not a known field/),
  ]);
});

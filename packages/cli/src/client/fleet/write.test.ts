import { type Policy, SERVICE_NAMES } from "@portreeve/api-schema";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compare } from "./compare.ts";
import { readFleet } from "./fleet.ts";
import { current, inputNamed, policyNamed, siteNamed } from "./testing.ts";
import { writeFleet } from "./write.ts";

test("a policy is written with its fields in the API's order, and without what the server made", () => {
  const base = policyNamed("Base", { default: true });

  const text = writeFleet(current([base], [siteNamed("fra-2", base), siteNamed("fra-1", base)]));

  expect(text.replace(/^(#.*\n)+\n/, "")).toBe(`policies:
  Base:
    default: true
    winbox:
      enabled: true
      port: 8291
      networks:
        - 10.0.0.0/8
    ssh: { enabled: true, port: 22, networks: [] }
    http: { enabled: false, port: 80, networks: [] }
    https: { enabled: false, port: 443, networks: [] }
    telnet: { enabled: false, port: 23, networks: [] }
    ftp: { enabled: false, port: 21, networks: [] }
    api:
      enabled: true
      port: 8728
      networks:
        - 100.64.0.1/32
    api_ssl: { enabled: false, port: 8729, networks: [] }
    trusted_networks:
      - 10.0.0.0/8
      - 172.16.0.0/12
      - 192.168.0.0/16
    custom_input_rules: true
    brute_force_protection: false
    drift: repair
    management_transport: api
    sites:
      - fra-1
      - fra-2
`);
});

test("the order is the same whatever the order the server answers in", () => {
  const policies = ["c", "a", "b"].map((name) => policyNamed(name, { default: name === "c" }));
  const sites = policies.flatMap((policy) => [
    siteNamed(`${policy.name}2`, policy),
    siteNamed(policy.name, policy),
  ]);
  const text = writeFleet(current(policies, sites));

  expect(writeFleet(current(policies.toReversed(), sites.toReversed()))).toBe(text);
  expect([...text.matchAll(/^ {2}(\w):$/gm)].map(([, name]) => name)).toEqual(["c", "a", "b"]);
});

test("names that two policies or two sites have are refused with what to do", () => {
  const [one, two] = [policyNamed("edge"), policyNamed("edge", {}, 2)];
  const duplicates = [siteNamed("fra", one), siteNamed("fra", one, { id: "another id" })];

  expect(() => writeFleet(current([one, two]))).toThrow(
    "2 policies are called edge; give one another name: portreeve policies update edge-0000000001",
  );
  expect(() => writeFleet(current([one], duplicates))).toThrow(
    "2 sites are called fra; give one another name: portreeve sites rename id of fra NAME",
  );
});

test("whatever policies and sites are called and say, what was written changes nothing when it is read", () => {
  const name = (maxLength: number) =>
    fc
      .string({ unit: "grapheme", minLength: 1, maxLength })
      .map((text) => text.trim())
      .filter((text) => text !== "" && text.length <= maxLength);
  const tricky = fc.constantFrom(
    "101",
    "0x1f",
    "null",
    "~",
    "yes",
    "- a",
    "a: b",
    "#",
    "'",
    '"',
    "__proto__",
    "<<",
  );
  const network = fc.oneof(
    fc.tuple(fc.ipV4(), fc.constant("/32")).map((parts) => parts.join("")),
    fc.constantFrom("0.0.0.0/0", "::/0", "2001:db8::/32"),
  );
  const service = (port: number) =>
    fc.record({
      enabled: fc.boolean(),
      port: fc.constant(port),
      networks: fc.option(fc.array(network, { maxLength: 3 })),
    });
  const services = Object.fromEntries(SERVICE_NAMES.map((key, index) => [key, service(1000 + index)]));
  const policy = fc.tuple(fc.oneof(name(20), tricky), fc.record(services)).map(([key, given]) => {
    const api = { ...(given.api as Policy["api"]), enabled: true };
    return policyNamed(key, inputNamed(key, { ...given, api }));
  });
  const policies = fc.uniqueArray(policy, { minLength: 1, maxLength: 4, selector: (one) => one.name });
  const sites = fc.uniqueArray(fc.oneof(name(100), tricky), { maxLength: 6 });

  fc.assert(
    fc.property(policies, sites, (all, siteNames) => {
      const first = all[0] as Policy;
      const attached = siteNames.map((site, index) => siteNamed(site, all[index % all.length] ?? first));
      const now = current([{ ...first, default: true }, ...all.slice(1)], attached);
      const fleet = readFleet("f.yaml", writeFleet(now));
      expect(compare(fleet, now, { prune: true })).toEqual({ changes: [], unnamed: [] });
    }),
  );
});
